"""What README shows runs as it is printed there: the Python example and the commands."""

import os
import re
import runpy
import shlex
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import write_customers, write_shop

README = (Path(__file__).parents[2] / "README.md").read_text()
BIN = Path(sys.executable).parent
RETRAINING = "retraining: buys\nholdout: 14d\n"


def block(heading, kind=""):
    """The first fenced block of a kind below a heading."""
    below = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.search(rf"```{kind}\n(.*?)```", below, re.DOTALL)[1]


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The example's source, what it printed, and the names that it left."""
    folder = tmp_path_factory.mktemp("readme")
    write_shop(folder / "shop", RETRAINING, until=datetime.now(UTC))
    (folder / "example.py").write_text(block("In Python", "python"))
    here = Path.cwd()
    printed = folder / "printed.txt"
    with printed.open("w") as file:
        os.chdir(folder)
        stdout, sys.stdout = sys.stdout, file
        try:
            names = runpy.run_path("example.py")
        finally:
            sys.stdout = stdout
            os.chdir(here)
    return names, printed.read_text().splitlines()


def test_the_example_is_about_twenty_lines():
    lines = [each for each in block("In Python", "python").splitlines() if each]
    assert 15 <= len(lines) <= 22
    assert max(map(len, lines)) <= 100


def test_the_example_finds_no_anomaly_in_what_the_schema_was_inferred_from(example):
    assert example[1][0] == "no anomalies"


def test_the_example_tells_an_auc_with_its_interval(example):
    found = re.search(r"rows=300, auc=(\S+) \((\S+)\.\.(\S+)\)", example[1][1])
    auc, low, high = map(float, found.groups())
    assert 0.6 < low < auc < high < 1.0


def test_the_examples_answer_is_a_score_with_its_decision(example):
    asked = example[0]["asked"]
    assert 0.0 < asked.score < 1.0
    assert asked.decision is (asked.score >= 0.5)
    assert f"{asked.score} {asked.decision}" in example[1]


def test_the_examples_outcome_waits_for_its_label_horizon(example):
    assert any("nothing matured" in each for each in example[1])


def test_the_examples_lineage_leads_from_the_answer_to_the_snapshot(example):
    kinds = [each.split()[0] for each in example[1]]
    assert kinds.index("model_version") < kinds.index("run") < kinds.index("snapshot")


def test_the_examples_retraining_tries_a_second_version(example):
    assert "passed=True" in example[1][-1]
    assert "version=2, rollout=True" in example[1][-1]


class Commands:
    """The commands of a block, run by this environment's `tondo` and on free ports."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "TONDO_WEB_PORT": "0",
            "TONDO_SCORER_PORT": "0",
        }

    def run(self, command):
        words = shlex.split(command, comments=True)
        if words[0] == "cd":
            self.folder /= words[1]
            return ""
        if words == ["tondo", "up"]:
            return self.until_it_serves(words)
        done = subprocess.run(words, **self.named, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def until_it_serves(self, words):
        """Leave it up, as a person would in a terminal of its own."""
        self.up = subprocess.Popen(words, **self.named)
        return "".join(iter(self.up.stdout.readline, "Ctrl-C ends both.\n"))

    @property
    def named(self):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return {"cwd": self.folder, "env": self.environment, **pipes}

    def end(self):
        self.up.send_signal(signal.SIGINT)
        _, said = self.up.communicate(timeout=30)
        return self.up.returncode, said


@pytest.fixture(scope="module")
def own_table(tmp_path_factory):
    """What each command said, and how `tondo up` ended after Ctrl-C."""
    folder = tmp_path_factory.mktemp("own")
    write_customers(folder / "customers.csv")
    commands = Commands(folder)
    lines = [each for each in block("Your own table").splitlines() if not each.startswith("pip")]
    try:
        said = {each.split()[1]: commands.run(each) for each in lines}
        said["ended"] = commands.end()
    finally:
        commands.up.kill()
    return said


def test_the_install_line_names_extras_that_exist():
    extras = re.search(r"pip install 'tondo\[(.*)\]'", block("Your own table"))[1].split(",")
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert all(re.search(rf"^{each} = \[", project, re.MULTILINE) for each in extras)


def test_init_says_what_it_made_of_the_table(own_table):
    assert "features  plan, seats, at_hour, at_weekday" in own_table["init"]
    assert "Next: cd churn && tondo up" in own_table["init"]


def test_up_takes_the_table_to_a_served_model_and_says_where(own_table):
    assert "churned version 1 is live" in own_table["up"]
    assert len(re.findall(r"http://127\.0\.0\.1:\d+", own_table["up"])) == 2


def test_predict_answers_while_up_serves(own_table):
    assert 0.0 < float(own_table["predict"].split()[0]) < 1.0
    assert "churned version 1" in own_table["predict"]


def test_ctrl_c_ends_up_in_order(own_table):
    assert own_table["ended"] == (0, "")
