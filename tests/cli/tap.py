"""Run one file of unittest cases and report them as TAP: tap.py test_usage.py [TestCase.test_name]"""

import importlib.util
import pathlib
import sys
import unittest


class TapResult(unittest.TestResult):
    """Prints one line per case, and what went wrong as comments below it."""

    def __init__(self):
        super().__init__()
        self.number = 0

    def line(self, test, good, note=""):
        self.number += 1
        name = ".".join(test.id().split(".")[-2:])
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}{note}", flush=True)

    def addSuccess(self, test):
        self.line(test, True)

    def addSkip(self, test, reason):
        self.line(test, True, f" # SKIP {reason}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.report(test, self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.report(test, self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.report(subtest, self._exc_info_to_string(err, test))

    def report(self, test, text):
        self.line(test, False)
        for line in text.splitlines():
            print(f"# {line}", flush=True)


def main():
    path = pathlib.Path(sys.argv[1]).resolve()
    sys.path[:0] = [str(path.parent), str(path.parent.parent / "fakes")]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    loader = unittest.TestLoader()
    suite = (loader.loadTestsFromNames(sys.argv[2:], module) if sys.argv[2:]
             else loader.loadTestsFromModule(module))
    result = TapResult()
    suite.run(result)
    print(f"1..{result.number}")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
