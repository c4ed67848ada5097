"""Every fixed sentence that the engine shows, for learners and for authors.

They stand in one module so that an edition in another language can replace them.
"""

# Outcomes
LABELS = {
    "right": "Right.",
    "not right": "Not right yet.",
    "not attempted": "Not attempted yet.",
}
NOT_CHECKED = "Not checked."
LABEL_OF = "{id}: {label}"
# Messages that every exercise has; its own FEEDBACK may replace them.
FEEDBACK = {
    "not_attempted": "Replace every `...` with your own code, run its cell, and check again.",
    "raised": (
        "Your code raised an error. Its last line says what, the lines above say where:\n\n{traceback}"
    ),
    "lab": "{problem}",
}
MORE_FRAMES = "({count} more of your own calls before these)"
IN_A_CELL = "your cell"
FRAME = "{file}, line {line}, in {function}"
CHECK_BROKE = "This is a mistake in the check of exercise {id}, not in your answer. Please report it."

# Hints and solution
HINT = "Hint {tier} of {all}: {text}"
NO_SUCH_HINT = "This exercise has hints 1 to {all}; hint {tier} is not one of them."
NO_MORE_HINTS = "That was the last of {all} hints. `hint(1)` shows the first again, `solution()` an answer."
SOLUTION_CELL = "In a cell of its own:"

# Refusals
UNKNOWN = "There is no exercise {id!r}. These exist: {known}."
NONE_YET = "none"
REFUSED = "{module}: {problem}"
UNREADABLE = "cannot be imported ({problem})"
NO_DOCSTRING = "has no docstring"
BAD_NAME = "its name must be like ex_1_2a.py, in a folder phase1"
MISSING = "{name} is missing; expected {expected}"
WRONG_TYPE = "{name} is {found}; expected {expected}"
EXPECTED = {
    "TITLE": "one line of text",
    "TEXT": "Markdown text",
    "HINTS": "a list of texts",
    "FEEDBACK": "a dict from key to message",
    "SOLUTION": "the source of one or more cells",
    "WRONG": "a dict from FEEDBACK key to source, or to a list of sources",
    "check": "a function of one argument, the answer",
}
FEW_HINTS = "HINTS has {found}; expected at least {least}, from a nudge to nearly the answer"
FEW_WRONG = "WRONG has {found} answers; expected at least {least} that people really give"
NO_RIGHT = 'FEEDBACK has no "right" message'
WRONG_KEY = 'WRONG has the key {key!r}; expected a key of FEEDBACK ({known}) or "raised"'
UNKNOWN_KEY = "line {line}: check gives {key!r}; FEEDBACK has {known}"
BAD_TEMPLATE = "FEEDBACK[{key!r}] is no template ({problem}); write {{{{ for a brace"
UNKNOWN_PLACEHOLDER = (
    "FEEDBACK[{key!r}] asks for {{{name}}}, which check does not give it (line {line} gives {given})"
)
BAD_SOLUTION = "SOLUTION is no Python: {problem}"
NO_OUTCOME = "check returned {found!r}; expected right(), not_right() or not_attempted()"
MISSING_FACT = "check gave {key!r} without the fact {name} that its message asks for"
NOTHING = "nothing"

# Notebooks
NO_TAGGED_CELLS = "{notebook} has no code cells tagged {tag!r}"
BAD_TAGGED_CELLS = (
    "{notebook}: of the cells tagged {tag!r}, the first must hold {opening}, the last one .check(, "
    "and the starter cells stand between them"
)
