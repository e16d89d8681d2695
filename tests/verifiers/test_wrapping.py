"""What stands around an answer: taken off where it is around all of it."""

import pytest

from modomodo.verifiers.wrapping import bare


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("5", "5"),
        (" 5. ", "5."),
        (r"\boxed{5}", "5"),
        (r"$\boxed{\text{5}}$.", "5"),
        ("**B**", "B"),
        ("`B`", "B"),
        (r"\(5\)", "5"),
        (r"\boxed{\{1,2\}}", r"\{1,2\}"),
        (r"$\$5$", r"\$5"),
        ("$5", "$5"),
        ("$5$ or $6$", "$5$ or $6$"),
        (r"\boxed{5}\boxed{6}", r"\boxed{5}\boxed{6}"),
        ("**5** or **6**", "**5** or **6**"),
        (r"\boxed{5", r"\boxed{5"),
        (r"\boxed{}", r"\boxed{}"),
        (r"\boxed{" * 12 + "5" + "}" * 12, r"\boxed{" * 4 + "5" + "}" * 4),
    ],
)
def test_bare(text, inside):
    assert bare(text) == inside
