"""Just enough of PromQL to say which series an expression reads (promtool checks the rest)."""

import re

TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[a-zA-Z_:][a-zA-Z0-9_:]*|=~|!~|!=|\d[\w.]*|\S')
WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right",
         "bool", "offset", "inf", "nan"}


def selectors(expression):
    """[(metric, [(label, operator, value)])], in the order of the text."""
    tokens = TOKEN.findall(expression)
    found, i = [], 0
    while i < len(tokens):
        token = tokens[i]
        following = tokens[i + 1] if i + 1 < len(tokens) else ""
        if token.lower() in WORDS:
            if following == "(" and token.lower() not in ("and", "or", "unless"):
                i = tokens.index(")", i)  # labels, not series
        elif token == "[":
            i = tokens.index("]", i)
        elif re.match(r"[a-zA-Z_:]", token) and following not in ("(", "by", "without"):
            matchers = []
            if following == "{":
                end = tokens.index("}", i)
                inside = tokens[i + 2:end]
                for k in range(0, len(inside), 4):
                    matchers.append((inside[k], inside[k + 1], inside[k + 2][1:-1]))
                i = end
            found.append((token, matchers))
        i += 1
    return found


def exposed(text):
    """{metric: [{label: value}]} of the text exposition format."""
    series = {}
    for line in text.splitlines():
        found = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$", line)
        if found:
            labels = re.findall(r'(\w+)="((?:\\.|[^"\\])*)"', found[2] or "")
            series.setdefault(found[1], []).append(dict(labels))
    return series
