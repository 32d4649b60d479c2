#!/usr/bin/env python3
"""The codes of problems that the C sources answer with are those that api/openapi.yaml explains
(x-problems), one for one: codes.py api/openapi.yaml SOURCE..."""

import re
import sys

from contract import Contract

CALL = re.compile(r'respond_problem\(\s*[^,]+,[^"]+?,\s*"([a-z_]+)",')
ROW = re.compile(r'\{ERR_\w+,\s*\d+,\s*"([a-z_]+)"\}')


def main(path, sources):
    used = {}
    for source in sources:
        with open(source, encoding="utf-8") as file:
            text = file.read()
        for match in list(CALL.finditer(text)) + list(ROW.finditer(text)):
            used.setdefault(match[1], source)
    known = {row["code"] for row in Contract.read(path).root["x-problems"]}
    lines = [f"{used[code]}: the problem '{code}' is not among x-problems of {path}" for code in sorted(set(used) - known)]
    lines += [f"{path}:/x-problems: nothing answers with '{code}'" for code in sorted(known - set(used))]
    print("\n".join(lines), file=sys.stderr, end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
