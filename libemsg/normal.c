/* SPDX-License-Identifier: ISC */
/*
 * normal.c - addresses as people type them, made normal.
 *
 * The domain goes through libidn2 (IDNA 2008, non-transitional, with its Bidi and joiner
 * rules). The local part follows UsernameCaseMapped of RFC 8265 section 3.3, in its order:
 * full-width and half-width forms to their plain form, lower case, NFC, then the string must
 * be in the IdentifierClass (RFC 8264 section 4.2) and keep the Bidi rule (RFC 5893). What is
 * left is judged by addr.c as the servers do. IdentifierClass is derived from Unicode
 * properties of libunistring, as RFC 8264 section 8 says; the contextual rules of RFC 5892
 * appendix A are not evaluated: characters that need them are refused.
 *
 * Owns nothing. Called by everything that takes an address from a person. Fails with a static
 * text.
 */
#include <idn2.h>
#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/text.h"
#include "normal.h"

/* A string of characters on its way through the rules. */
struct chars {
	uint32_t *p; /* owned */
	size_t n;
};

static bool
refuse(const char **why, const char *text)
{
	*why = text;
	return false;
}

/* --- domain ------------------------------------------------------------------------------- */

bool
normal_domain(struct span typed, char out[ADDR_DOMAIN_MAX + 1], const char **why)
{
	char text[NORMAL_INPUT_MAX + 1], *ascii = NULL;
	bool ok;

	if (typed.n == 0)
		return refuse(why, "the domain is missing");
	if (!utf8_valid(typed) || !text_copy(text, sizeof(text), typed))
		return refuse(why, "the domain is not valid text");
	if (idn2_to_ascii_8z(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
	    IDN2_OK)
		return refuse(why, "the domain is not a valid name (IDNA 2008)");
	ok = strlen(ascii) <= ADDR_DOMAIN_MAX && addr_domain_valid(span_str(ascii), why);
	if (ok)
		memcpy(out, ascii, strlen(ascii) + 1);
	else if (strlen(ascii) > ADDR_DOMAIN_MAX)
		*why = "the domain is too long";
	idn2_free(ascii);
	return ok;
}

/* --- local part: mappings ------------------------------------------------------------------ */

static bool
chars_take(struct chars *c, uint32_t *p, size_t n)
{
	free(c->p);
	c->p = p;
	c->n = n;
	return p != NULL;
}

/* RFC 8265 section 3.3.2 rule 1: only <wide> and <narrow> decompositions are applied. */
static void
map_width(struct chars *c)
{
	ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
	int tag;

	for (size_t i = 0; i < c->n; i++)
		if (uc_decomposition(c->p[i], &tag, parts) == 1 &&
		    (tag == UC_DECOMP_WIDE || tag == UC_DECOMP_NARROW))
			c->p[i] = parts[0];
}

static bool
map_case(struct chars *c)
{
	size_t n;
	uint32_t *p = u32_tolower(c->p, c->n, NULL, NULL, NULL, &n);

	return chars_take(c, p, n);
}

static bool
map_nfc(struct chars *c)
{
	size_t n;
	uint32_t *p = u32_normalize(UNINORM_NFC, c->p, c->n, NULL, &n);

	return chars_take(c, p, n);
}

/* --- local part: IdentifierClass ----------------------------------------------------------- */

/* RFC 8264 section 9.17 (HasCompat): NFKC changes the character. */
static bool
has_compat(ucs4_t c)
{
	uint32_t out[64];
	size_t n = sizeof(out) / sizeof(out[0]);
	uint32_t *p = u32_normalize(UNINORM_NFKC, &c, 1, out, &n);
	bool same = p != NULL && n == 1 && p[0] == c;

	if (p != out)
		free(p);
	return !same;
}

/* RFC 8264 sections 9.1 (LetterDigits) and 9.11 (ASCII7). */
static bool
is_letter_or_digit(ucs4_t c)
{
	uint32_t allowed = UC_CATEGORY_MASK_Ll | UC_CATEGORY_MASK_Lu |
	    UC_CATEGORY_MASK_Lo | UC_CATEGORY_MASK_Nd | UC_CATEGORY_MASK_Lm |
	    UC_CATEGORY_MASK_Mn | UC_CATEGORY_MASK_Mc;

	return uc_is_general_category_withtable(c, allowed);
}

/* RFC 5892 section 2.6: exceptions that differ from the derived value. */
static int
exception(ucs4_t c)
{
	static const ucs4_t valid[] = {0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007};
	static const ucs4_t not_valid[] = {0xB7, 0x375, 0x5F3, 0x5F4, 0x30FB, 0x640,
	    0x7FA, 0x302E, 0x302F, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303B};

	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		if (valid[i] == c)
			return 1;
	for (size_t i = 0; i < sizeof(not_valid) / sizeof(not_valid[0]); i++)
		if (not_valid[i] == c)
			return -1;
	if ((c >= 0x660 && c <= 0x669) || (c >= 0x6F0 && c <= 0x6F9))
		return -1;
	return 0;
}

/* RFC 8264 section 8, for the IdentifierClass. */
static bool
in_identifier_class(ucs4_t c)
{
	int exc = exception(c);

	if (exc != 0)
		return exc > 0;
	if (c >= 0x21 && c <= 0x7E)
		return true;
	if (uc_is_property_join_control(c) || uc_is_property_not_a_character(c) ||
	    uc_is_property_default_ignorable_code_point(c) ||
	    (c >= 0x1100 && c <= 0x11FF) || (c >= 0xA960 && c <= 0xA97C) ||
	    (c >= 0xD7B0 && c <= 0xD7FB))
		return false;
	return !has_compat(c) && is_letter_or_digit(c);
}

/* --- local part: Bidi rule (RFC 5893 section 2) -------------------------------------------- */

static bool
is_rtl(int class)
{
	return class == UC_BIDI_R || class == UC_BIDI_AL;
}

static bool
is_neutral(int class)
{
	return class == UC_BIDI_ES || class == UC_BIDI_CS || class == UC_BIDI_ET ||
	    class == UC_BIDI_ON || class == UC_BIDI_BN || class == UC_BIDI_NSM;
}

/* The class of the last character that is not a non-spacing mark. */
static int
last_class(const struct chars *c)
{
	size_t i = c->n;

	while (i > 0 && uc_bidi_class(c->p[i - 1]) == UC_BIDI_NSM)
		i--;
	return i == 0 ? UC_BIDI_NSM : uc_bidi_class(c->p[i - 1]);
}

static bool
bidi_rtl_ok(const struct chars *c)
{
	bool european = false, arabic = false;
	int last = last_class(c);

	for (size_t i = 0; i < c->n; i++) {
		int class = uc_bidi_class(c->p[i]);

		european |= class == UC_BIDI_EN;
		arabic |= class == UC_BIDI_AN;
		if (!is_rtl(class) && class != UC_BIDI_AN && class != UC_BIDI_EN &&
		    !is_neutral(class))
			return false;
	}
	return !(european && arabic) &&
	    (is_rtl(last) || last == UC_BIDI_EN || last == UC_BIDI_AN);
}

static bool
bidi_ok(const struct chars *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n; i++) {
		int class = uc_bidi_class(c->p[i]);

		any |= is_rtl(class) || class == UC_BIDI_AN;
	}
	if (!any)
		return true;
	return is_rtl(uc_bidi_class(c->p[0])) && bidi_rtl_ok(c);
}

/* --- local part --------------------------------------------------------------------------- */

static bool
judge(const struct chars *c, const char **why)
{
	if (c->n == 0)
		return refuse(why, "the name before the # is missing");
	for (size_t i = 0; i < c->n; i++)
		if (!in_identifier_class(c->p[i]))
			return refuse(
			    why, "the name has a character that names cannot have");
	if (uc_is_general_category_withtable(c->p[0], UC_CATEGORY_MASK_M))
		return refuse(why, "the name begins with a combining mark");
	if (!bidi_ok(c))
		return refuse(why, "the name mixes directions of writing");
	return true;
}

/* Back to UTF-8, and the rules that servers check. */
static bool
store(const struct chars *c, char out[ADDR_LOCAL_MAX + 1], const char **why)
{
	size_t n = 0;
	uint8_t *p = u32_to_u8(c->p, c->n, NULL, &n);
	bool ok = false;

	if (p == NULL || n > ADDR_LOCAL_MAX)
		*why = "the name is too long (64 bytes at most)";
	else if (addr_local_valid(span_of(p, n), why))
		ok = text_copy(out, ADDR_LOCAL_MAX + 1, span_of(p, n));
	free(p);
	return ok;
}

bool
normal_local(struct span typed, char out[ADDR_LOCAL_MAX + 1], const char **why)
{
	struct chars c = {NULL, 0};
	bool ok;

	if (typed.n == 0)
		return refuse(why, "the name before the # is missing");
	if (typed.n > NORMAL_INPUT_MAX || !utf8_valid(typed))
		return refuse(why, "the name is not valid text");
	c.p = u8_to_u32(typed.p, typed.n, NULL, &c.n);
	if (c.p == NULL)
		return refuse(why, "out of memory");
	map_width(&c);
	if (map_case(&c) && map_nfc(&c))
		ok = judge(&c, why) && store(&c, out, why);
	else
		ok = refuse(why, "the name cannot be made normal");
	free(c.p);
	return ok;
}

bool
normal_address(struct span typed, char out[ADDR_TEXT_SIZE], const char **why)
{
	char local[ADDR_LOCAL_MAX + 1], domain[ADDR_DOMAIN_MAX + 1];
	static const char scheme[] = "emsg:";
	size_t at, n = sizeof(scheme) - 1;

	if (typed.n > n && memcmp(typed.p, scheme, n) == 0)
		typed = span_of(typed.p + n, typed.n - n);
	if (typed.n > NORMAL_INPUT_MAX)
		return refuse(why, "the address is too long");
	for (at = typed.n; at > 0; at--)
		if (typed.p[at - 1] == '#' || typed.p[at - 1] == '@')
			break;
	if (at == 0)
		return refuse(why, "an address is name#domain");
	if (!normal_local(span_of(typed.p, at - 1), local, why) ||
	    !normal_domain(span_of(typed.p + at, typed.n - at), domain, why))
		return false;
	memcpy(out, local, strlen(local));
	out[strlen(local)] = '#';
	memcpy(out + strlen(local) + 1, domain, strlen(domain) + 1);
	return true;
}
