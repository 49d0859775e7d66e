# Compiler switches, each kept only if the compiler knows it.

# EMSG_TRY_FLAG(VARIABLE, FLAG): append FLAG to VARIABLE if it compiles cleanly.
AC_DEFUN([EMSG_TRY_FLAG], [
	AS_VAR_PUSHDEF([cachevar], [emsg_cv_flag_$2])
	AC_CACHE_CHECK([whether $CC takes $2], [cachevar], [
		emsg_save_cflags=$CFLAGS
		CFLAGS="-Werror $2"
		AC_LINK_IFELSE([AC_LANG_PROGRAM()],
		    [AS_VAR_SET([cachevar], [yes])], [AS_VAR_SET([cachevar], [no])])
		CFLAGS=$emsg_save_cflags
	])
	AS_VAR_IF([cachevar], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([cachevar])
])

AC_DEFUN([EMSG_WARNINGS], [
	WARN_CFLAGS=
	m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wstrict-prototypes
	    -Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wvla
	    -Wimplicit-fallthrough -Wcast-qual -Wundef -Wpointer-arith
	    -Wwrite-strings -Wconversion -Wsign-conversion],
	    [EMSG_TRY_FLAG([WARN_CFLAGS], flag)])
	AS_IF([test "$enable_werror" = yes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
	AC_SUBST([WARN_CFLAGS])
])

AC_DEFUN([EMSG_HARDENING], [
	HARDEN_CFLAGS=
	AS_IF([test "$enable_sanitizers" = no && test "$enable_fuzzers" = no], [
		m4_foreach_w([flag], [-fstack-protector-strong
		    -fstack-clash-protection -fcf-protection=full
		    -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr
		    -fno-delete-null-pointer-checks -fno-strict-overflow
		    -fno-strict-aliasing],
		    [EMSG_TRY_FLAG([HARDEN_CFLAGS], flag)])
		HARDEN_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"
		HARDEN_LDFLAGS="-Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed"
		# A sanitized library finds its runtime in the program only.
		LIBRARY_LDFLAGS="-Wl,-z,defs"
	])
	AC_SUBST([LIBRARY_LDFLAGS])
	AC_SUBST([HARDEN_CFLAGS])
	AC_SUBST([HARDEN_CPPFLAGS])
	AC_SUBST([HARDEN_LDFLAGS])
])

# Sanitizers and the coverage that libFuzzer needs.
AC_DEFUN([EMSG_INSTRUMENTATION], [
	INSTR_CFLAGS=
	FUZZ_LDFLAGS=
	AS_IF([test "$enable_sanitizers" = yes || test "$enable_fuzzers" = yes], [
		INSTR_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
		AC_DEFINE([EMSG_SANITIZED], [1], [Built with sanitizers: the sandbox must allow their calls])
	])
	AS_IF([test "$enable_fuzzers" = yes], [
		INSTR_CFLAGS="$INSTR_CFLAGS -fsanitize=fuzzer-no-link"
		FUZZ_LDFLAGS="-fsanitize=fuzzer"
	])
	AC_SUBST([INSTR_CFLAGS])
	AC_SUBST([FUZZ_LDFLAGS])
])
