"""Comments of public headers, as far as a look without Doxygen tells: the suite `reference` asks Doxygen."""
import glob
import os
import re

import pytest

from dev import paths

HEADERS = sorted(glob.glob(os.path.join(paths.ROOT, "libbus", "include", "bus", "*.h")))


@pytest.mark.parametrize("path", HEADERS, ids=os.path.basename)
def test_each_function_has_a_comment(path):
    """In the line before it, or behind it."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    bare = [f"{number + 1}: {line}" for number, line in enumerate(lines)
            if re.match(r"(const )?(bool|void|int|char|size_t|int64_t|enum|struct|bus_\w+)\b.*\bbus_\w+\(", line)
            and not lines[number - 1].endswith("*/") and "/*" not in line]
    assert not bare
