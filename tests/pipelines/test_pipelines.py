"""The pipelines of GitHub and Jenkins: accepted by linters and by a parser of Groovy, and with the same stages, which
together run each suite of the short list. Neither has run on GitHub or in Jenkins here. And Dockerfiles."""
import os
import re
import subprocess

import pytest
import yaml

from dev import paths, pipelines, suites
from dev.runner import tracked

WORKFLOW = os.path.join(paths.ROOT, ".github", "workflows", "ci.yml")
JENKINSFILE = os.path.join(paths.ROOT, "Jenkinsfile")
LONG = {"packages", "gateway"}
# Parses, and reads no more than names of classes: what a pipeline's words mean only Jenkins knows.
PARSE = ("def unit = new org.codehaus.groovy.control.CompilationUnit(); unit.addSource(new File(args[0])); "
         "unit.compile(org.codehaus.groovy.control.Phases.CONVERSION)")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, cwd=paths.ROOT)


def of_github():
    """{stage: words of each ./dev}"""
    rows = yaml.safe_load(read(WORKFLOW))["jobs"]["stage"]["strategy"]["matrix"]["include"]
    return {row["stage"]: [line for line in (row["install"], "test " + row["suites"]) if line] for row in rows}


def of_jenkins():
    stages = re.findall(r"stage\('(\w+)'\) \{(.*?)\n    \}", read(JENKINSFILE), re.S)
    return {name: re.findall(r"sh '\./dev ([^']+)'", text) for name, text in stages}


def test_both_have_the_same_stages():
    assert of_github() == of_jenkins() and len(of_github()) > 5


def test_each_suite_of_the_short_list_runs_once():
    ran = [name for lines in of_github().values() for line in lines if line.startswith("test ")
           for name in line.split()[1:]]
    assert sorted(ran) == sorted({*suites.SHORT_NAMES, *LONG})


def test_actionlint_accepts_the_workflow(tmp_path):
    assert run(pipelines.ACTIONLINT.program(), WORKFLOW).stdout == ""
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(read(WORKFLOW).replace("matrix.stage }}", "matrix.stages }}"))
    assert 'property "stages" is not defined' in run(pipelines.ACTIONLINT.program(), str(wrong)).stdout


def test_zizmor_finds_nothing(tmp_path):
    words = [pipelines.LINTERS.program("zizmor"), "--offline", "--no-progress", "--persona=pedantic"]
    done = run(*words, WORKFLOW)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(re.sub(r"@[0-9a-f]{40}", "@v4", read(WORKFLOW)))
    assert "unpinned" in run(*words, str(wrong)).stdout


def test_groovy_parses_the_jenkinsfile(tmp_path):
    done = run("groovy", "-e", PARSE, JENKINSFILE)
    assert done.returncode == 0, done.stderr
    wrong = tmp_path / "Jenkinsfile"
    wrong.write_text(read(JENKINSFILE).rstrip().removesuffix("}"))
    assert run("groovy", "-e", PARSE, str(wrong)).returncode != 0


@pytest.mark.parametrize("name", tracked("Dockerfile"))
def test_hadolint_accepts_a_dockerfile(name, tmp_path):
    assert run(pipelines.LINTERS.program("hadolint"), name).stdout == ""
    wrong = tmp_path / "Dockerfile"
    wrong.write_text(read(os.path.join(paths.ROOT, name)) + "RUN cd /\n")
    assert "DL3003" in run(pipelines.LINTERS.program("hadolint"), str(wrong)).stdout
