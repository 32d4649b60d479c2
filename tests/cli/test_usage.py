"""What the program says about itself, and to people who mistype."""

import unittest

from program import ProgramTest


class Usage(ProgramTest):
    def test_nothing_is_a_usage_error(self):
        done = self.run_program()
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("usage: cauldron COMMAND"))

    def test_help_lists_the_commands(self):
        for word in ("help", "--help", "-h"):
            done = self.succeeds(word)
            self.assertEqual(done.stderr, "")
            for name in ("generate", "models", "doctor"):
                self.assertRegex(done.stdout, rf"(?m)^  {name} ")

    def test_help_of_a_command_is_its_own_help(self):
        for name in ("models", "doctor", "generate"):
            self.assertEqual(self.succeeds("help", name).stdout,
                             self.succeeds(name, "--help").stdout)

    def test_version(self):
        self.assertRegex(self.succeeds("--version").stdout, r"^cauldron \d+\.\d+\.\d+\n$")

    def test_unknown_commands_name_the_nearest(self):
        self.fails(2, "modles", says="did you mean 'models'?")
        self.fails(2, "xyzzy", says=["unknown command 'xyzzy'", "cauldron help"])
        self.fails(2, "help", "xyzzy", says="unknown command 'xyzzy'")

    def test_messages_hold_no_control_characters(self):
        self.fails(2, "a\x1b[31m\nb", says="unknown command 'a?[31m?b'")


if __name__ == "__main__":
    unittest.main()
