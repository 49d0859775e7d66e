#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""budget - sizes: files, headers, functions, comments. HACKING.md gives the reasons."""
import statistics

import tree

FILE_MAX = 700
HEADER_MAX = 200
FUNCTION_HARD = 100
FUNCTION_SOFT = 60
FUNCTION_MEDIAN = 18
# 0.25 is the aim; see doc/decisions.md, "Comments are not made by weight".
COMMENT_RATIO = 0.14
HEAD_COMMENT_MIN = 3


def functions(lines):
    """Yields (first line, last line) of each block that opens and closes in column 0."""
    start = None
    for number, line in enumerate(lines):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start is not None:
            yield start, number
            start = None


def comment_above(lines, brace):
    """The comment right above the function whose body opens at brace."""
    i = brace - 1
    while i >= 0 and lines[i].strip() and not lines[i].rstrip().endswith("*/"):
        i -= 1
    text = []
    while i >= 0 and lines[i].strip():
        text.append(lines[i])
        if lines[i].lstrip().startswith("/*"):
            return " ".join(reversed(text)).lower()
        i -= 1
    return ""


def head_comment(lines):
    """The length of the comment below the licence line; 0 without one."""
    if len(lines) < 2 or not lines[1].startswith("/*"):
        return 0
    for number, line in enumerate(lines[1:], 1):
        if "*/" in line:
            return number
    return 0


def count_lines(lines):
    """(comment lines, code lines), without the licence line and blank lines."""
    comments = code = 0
    inside = False
    for line in lines[1:]:
        text = line.strip()
        if not text:
            continue
        if inside or text.startswith("/*"):
            comments += 1
            inside = "*/" not in text
        else:
            code += 1
            comments += "/*" in text
    return comments, code


def main():
    rules = tree.Rules()
    long_files, long_functions, unexplained, headless = [], [], [], []
    sizes, file_sizes = [], []
    comments = code = 0
    names = tree.c_files()
    for name in names:
        lines = tree.read(name).splitlines()
        limit = HEADER_MAX if name.endswith(".h") else FILE_MAX
        if len(lines) > limit:
            long_files.append(f"{name}: {len(lines)} lines, {limit} allowed")
        ours = not name.startswith(("tests/", "bench/"))
        if ours:
            more = count_lines(lines)
            comments += more[0]
            code += more[1]
        if name.endswith(".h"):
            continue
        # A main.c only calls what its process's own file explains.
        least = 1 if name.endswith("/main.c") else HEAD_COMMENT_MIN
        if head_comment(lines) < least:
            headless.append(f"{name}: no comment of {least} lines at its head")
        if ours:
            file_sizes.append(len(lines))
        for start, end in functions(lines):
            size = end - start - 1
            if ours:
                sizes.append(size)
            if size > FUNCTION_HARD:
                long_functions.append(f"{name}:{start + 1}: {size} lines")
            elif size > FUNCTION_SOFT and "long" not in comment_above(lines, start):
                unexplained.append(f"{name}:{start + 1}: {size} lines, no word why it is long")
    rules.report("budget: files and headers are short", long_files, f"{len(names)} files")
    rules.report(f"budget: no function above {FUNCTION_HARD} lines", long_functions,
                 f"{len(sizes)} functions")
    rules.report(f"budget: functions above {FUNCTION_SOFT} lines say why", unexplained)
    rules.report("budget: every source opens with a comment", headless)
    median = statistics.median(sizes) if sizes else 0
    rules.report("budget: median function",
                 [f"{median} lines"] if median > FUNCTION_MEDIAN else [], f"{median} lines")
    ratio = comments / code if code else 1
    rules.report("budget: comments to code",
                 [f"{ratio:.2f}, {COMMENT_RATIO} wanted"] if ratio < COMMENT_RATIO else [],
                 f"{ratio:.2f}")
    if file_sizes:
        print(f"median source file: {statistics.median(file_sizes)} lines")
    rules.end()


main()
