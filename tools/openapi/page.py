def render(contract):
    return "<!doctype html>\n", "default-src 'none'"
