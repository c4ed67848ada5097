"""Every fixed sentence of the quizzes. Questions and explanations are in the bank."""

# What a learner reads on every form of a quiz.
TITLE = "Quiz {lesson}: {title}"
QUESTION = "Question {number} of {total}"
RIGHT = "Right"
NOT_RIGHT = "Not right"
HOW_TO_ANSWER = {
    "one": "Choose one answer.",
    "several": "Choose every answer that is right.",
    "predict": "Choose what this code shows.",
    "order": "Put these steps in order.",
    "number": "Give a number, in {unit}.",
}

# The static forms.
STATIC_INTRO = "To answer here, run this cell in JupyterLab."
STATIC_ANSWER = "Answer to question {number}"
STATIC_ORDER = "The order:"
STATIC_NUMBER = "{answer} {unit}"
STATIC_NUMBER_ABOUT = "{answer} {unit}, give or take {tolerance}"
STATIC_MISTAKE_NUMBER = "If you said {answer}:"
STATIC_MISTAKE_ORDER = "If you put “{early}” before “{late}”:"
PLAIN_ANSWERS = (
    "Answers: run this cell in JupyterLab to check yours.\n"
    "The HTML form of this output, as on GitHub, has them folded away.\n"
    "They are written in quizzes/bank/{file}."
)

# The widget.
CHECK = "Check answer"
CHECK_HINT = "Check the answer to question {number}"
START_AGAIN = "Clear all answers and start again"
PLACE_NONE = "not placed"
NUMBER_LABEL = "Your answer, in {unit}:"
VERDICT_RIGHT = "Right."
VERDICT_RIGHT_AGAIN = "Right, at try {tries}."
VERDICT_WRONG = "Not right."
VERDICT_WRONG_AGAIN = "Not right, at try {tries}."
SHOW_ANSWER = "Show the right answer"
CHOOSE_ONE = "Nothing is chosen yet. Choose one answer, then check it."
CHOOSE_SOME = "Nothing is chosen yet. Choose at least one answer, then check."
PLACE_ALL = "Not every step has a place yet. Give each step one, then check."
PLACE_TWICE = "Place {place} is taken more than once. Give each step its own place, then check."
NUMBER_MISSING = "There is no number yet. Type one, then check it."
NUMBER_UNREADABLE = "“{typed}” does not read as a number. Type digits, such as 3 or 0.5."
SEVERAL_INCOMPLETE = "What you chose is right, but it is not all. Another answer is right too."
SEVERAL_MIXED = "One more thing: an answer that you did not choose is right."
ORDER_WRONG = "Steps that stand where they belong: {placed} of {total}."
NUMBER_TOO_LOW = "The right number is higher than {answer}."
NUMBER_TOO_HIGH = "The right number is lower than {answer}."
SCORE = "Score: {right} of {total} right."
SCORE_WRONG = "{wrong} not right."
SCORE_OPEN = "{open} not answered yet."
SCORE_ALL = "All questions are answered right."
NOT_SAVED = "The answer counts here, but it was not saved: {reason}"

# What somebody reads who asks for a quiz that is not there.
NO_SUCH_QUIZ = "There is no quiz for lesson {lesson!r}. Lessons with a quiz: {known}"
NO_QUIZZES = "none yet"

# What an author of a quiz reads.
BAD_QUIZ = "{name}, line {line}: {problem}. Expected: {expected}"
EMPTY_FILE = "the file is empty"
EXPECT_FILE = "the fields lesson, title and questions"
NOT_UTF8 = "the file is not UTF-8 text"
EXPECT_UTF8 = "a text file in UTF-8"
YAML_PROBLEM = "YAML cannot be read here ({problem})"
EXPECT_YAML = "valid YAML"
EXPECT_NO_TAB = "spaces; YAML takes no tabs for indentation"
EXPECT_QUOTED = "a quoted text; YAML takes no bare text that starts with {character}"
EXPECT_NO_COLON = "a quoted text, or the text on its own line after |, where it holds a colon and a space"
DUPLICATE_KEY = 'the field "{key}" stands here twice'
EXPECT_KEY_ONCE = "each field once"
ALIAS = "an alias (*name) is used"
EXPECT_NO_ALIAS = "the text itself"
KEY_NOT_TEXT = "a field's name is not text"
EXPECT_KEY_TEXT = "a name, then a colon"
UNKNOWN_FIELD = 'unknown field "{field}"'
MISSING_FIELD = 'the field "{field}" is missing'
FOUND = "found {found}"
NOTHING = "found nothing"
BOTH = "right and wrong both stand here"
NEITHER = "neither right nor wrong stands here"
FOUND_LIST = "a list of {count}"
FOUND_FIELDS = "fields"
WRONG_LESSON = 'lesson is "{found}"'
EXPECT_LESSON = '"{wanted}", as the file is named'
WRONG_FOLDER = "the file lies in {found}"
EXPECT_FOLDER = "it in {wanted}"
DUPLICATE_ID = 'a second question has the id "{id}"'
EXPECT_OTHER_ID = "an id of its own"
DUPLICATE_TEXT = "“{text}” stands here twice"
EXPECT_OTHER_TEXT = "texts that differ"
NONE_RIGHT = "no choice is right"
EXPECT_ONE_RIGHT = "exactly one choice with right:"
EXPECT_SOME_RIGHT = "at least one choice with right:"
MANY_RIGHT = "{count} choices are right"
NO_SUCH_STEP = "there is no step {step}"
EXPECT_STEP = "a step from 1 to {count}"
NO_MISTAKE = "step {puts} before step {before} is no mistake"
EXPECT_MISTAKE_ORDER = "a later step put before an earlier one"
MISTAKE_IS_RIGHT = "{answer} counts as right"
EXPECT_MISTAKE_NUMBER = "a number further than the tolerance from {answer}"
FENCE_OPEN = "a ``` is never closed"
EXPECT_FENCE = "a closing ``` on a line of its own"
CODE_FAILED = "The code did not run to its end: {reason}"
CODE_TIMEOUT = "it took longer than {timeout:g} s"
