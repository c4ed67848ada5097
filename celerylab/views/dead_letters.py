"""Dead letters to look through: a widget where there is a kernel, a table everywhere else."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from celerylab.dead_letters import Store, letters
from celerylab.views import texts
from celerylab.views.letters import Letter, described, what
from celerylab.views.table import Table, named_values

SHOWN = 200  # letters in the list; filters find the others
WIDE = 48  # characters: a line of the list is not broken, and is cut off where it ends
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ROOT = "celerylab-letters"
_VIEW = "application/vnd.jupyter.widget-view+json"
# no colour but the theme's own, so that contrast is the theme's on light and dark
STYLE = f"""<style>
.{ROOT} {{ max-width: 72em; padding: 4px; color: var(--jp-content-font-color1, inherit); }}
.{ROOT} .widget-box, .{ROOT} .widget-html, .{ROOT} .widget-select {{ overflow: visible; }}
.{ROOT} .widget-html, .{ROOT} .widget-html-content {{ height: auto; line-height: 1.5; color: inherit; }}
.{ROOT} label {{ width: auto; color: inherit; }}
.{ROOT} select, .{ROOT} pre {{ font-family: monospace; color: inherit; }}
.{ROOT} pre {{ margin: 0.5em 0; padding: 0.5em; border: 1px solid; white-space: pre-wrap; background: none; }}
.{ROOT} .widget-text input, .{ROOT} .widget-combobox input, .{ROOT} select {{ border: 1px solid; }}
.{ROOT} button {{ min-height: 28px; padding: 0 1em; border: 1px solid; }}
.{ROOT}.{ROOT} :focus-visible {{ outline: 2px solid currentColor !important; outline-offset: 2px; }}
.{ROOT} [role=status]:not(:empty) {{ padding: 0 0.75em; border-left: 4px solid; }}
</style>"""


class LettersView:
    """What a store of dead letters holds, to look through, replay and drop.

    Parameters
    ----------
    store
        With ``find``, ``count``, ``gone``, ``drop`` and ``drop_all``.
    app
        A Celery app of the broker to which replays go.
    """

    def __init__(self, store: Store, app: Any) -> None:
        self.store, self.app = store, app
        self._board: LettersBoard | None = None

    def widget(self) -> LettersBoard:
        """Return the widget, made once, so that all its views agree."""
        if self._board is None:
            # late: ipywidgets costs each kernel time and memory
            self._board = LettersBoard(self.store, self.app)
        return self._board

    def table(self) -> Table:
        """Return the letters as a table of what does not differ from run to run."""
        rows = [
            [
                letter.task.rpartition(".")[2],
                letter.call,
                letter.kind,
                letter.exception.rpartition(".")[2],
                letter.state,
                UUID.sub(texts.COMES, letter.id),
            ]
            for letter in self.store.find(limit=SHOWN)
        ]
        return Table(texts.LETTERS_COLUMNS, rows, empty=texts.LETTERS_NONE)

    def __repr__(self) -> str:
        return repr(self.table())

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        table = self.table()
        bundle: dict[str, Any] = {"text/plain": repr(table), "text/html": table._repr_html_()}
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        if getattr(shell, "kernel", None) is None:
            return bundle
        return bundle | {_VIEW: self.widget().box._repr_mimebundle_()[_VIEW]}


class LettersBoard:
    """The widget: filters, a list, what is known of one letter, and what can be done.

    Everything is reached by the Tab key and done by Space or Enter. What a button has done is said
    in a region that screen readers read out by themselves. What can't be undone is asked for twice.
    """

    def __init__(self, store: Store, app: Any) -> None:
        import ipywidgets  # type: ignore[import-untyped]

        self.store, self.app = store, app
        self._package = letters()
        self._asked: tuple[object, ...] | None = None
        self._says = 0
        wide = {"width": "auto"}
        style = {"description_width": "initial"}

        def button(title: str, hint: str, pressed: Callable[[], None]) -> Any:
            made = ipywidgets.Button(description=title, tooltip=hint, layout=wide)
            made.on_click(lambda _: self._carefully(pressed))
            return made

        def choice(title: str, values: Sequence[str]) -> Any:
            # a field with suggestions: in a Dropdown, JupyterLab takes letters and arrows for its own
            return ipywidgets.Combobox(
                options=list(values),
                placeholder=texts.LETTERS_ANY,
                description=title,
                style=style,
                layout=wide,
                continuous_update=False,
            )

        def row(*parts: Any) -> Any:
            return ipywidgets.HBox(parts, layout={"flex_flow": "row wrap", **wide})

        self.text = ipywidgets.Text(
            description=texts.LETTERS_TEXT, style=style, layout=wide, continuous_update=False
        )
        self.task = ipywidgets.Text(
            description=texts.LETTERS_TASK, style=style, layout=wide, continuous_update=False
        )
        self.kind = choice(texts.LETTERS_KIND, self._package.KINDS)
        self.state = choice(texts.LETTERS_STATE, self._package.STATES)
        self.list = ipywidgets.Select(
            options=[], rows=8, description=texts.LETTERS_LIST, style=style, layout={"width": "100%"}
        )
        self.details = ipywidgets.HTML(layout=wide)
        self.status = ipywidgets.HTML(layout=wide)
        # arrows belong to JupyterLab, which moves to the next cell
        self.newer = button(texts.LETTERS_NEWER, texts.LETTERS_NEWER_HINT, lambda: self._step(-1))
        self.older = button(texts.LETTERS_OLDER, texts.LETTERS_OLDER_HINT, lambda: self._step(1))
        self.replay = button(texts.LETTERS_REPLAY, texts.LETTERS_REPLAY_HINT, self._replay)
        self.drop = button(texts.LETTERS_DROP, texts.LETTERS_DROP_HINT, self._drop)
        self.replay_all = button(texts.LETTERS_REPLAY_ALL, texts.LETTERS_REPLAY_ALL_HINT, self._replay_all)
        self.drop_all = button(texts.LETTERS_DROP_ALL, texts.LETTERS_DROP_ALL_HINT, self._drop_all)
        self.again = button(texts.LETTERS_AGAIN, texts.LETTERS_AGAIN_HINT, self.look)
        heading = f'<div role="heading" aria-level="3"><strong>{escape(texts.LETTERS_TITLE)}</strong></div>'
        self.box = ipywidgets.VBox(
            [
                ipywidgets.HTML(value=STYLE + heading, layout=wide),
                row(self.text, self.task, self.kind, self.state),
                self.list,
                row(self.newer, self.older, self.replay, self.drop),
                row(self.replay_all, self.drop_all, self.again),
                self.status,
                self.details,
            ],
            layout=wide,
        )
        self.box.add_class(ROOT)
        for each in (self.text, self.task, self.kind, self.state):
            each.observe(lambda _: self._carefully(self.look), "value")
        self.list.observe(lambda _: self._carefully(self._show), "value")
        self._carefully(self.look)

    # -- look ---------------------------------------------------------------------------

    def look(self) -> None:
        """Read the letters that the filters leave, and say how many there are."""
        self._asked = None
        self._fill()
        n, every, listed = self.store.count(self.filter()), self.store.count(), len(self.list.options)
        said = [texts.LETTERS_SAID.format(n=n, all=every)]
        if n > listed:
            said.append(texts.LETTERS_SAID_MORE.format(shown=listed))
        gone = self.store.gone()
        if any(gone.values()):
            said.append(texts.LETTERS_SAID_GONE.format(**gone))
        self.say(" ".join(said))

    def filter(self) -> Any:
        """Return what the fields say."""
        return self._package.Filter(
            text=self.text.value.strip() or None,
            task=self.task.value.strip() or None,
            kind=self.kind.value.strip() or None,
            state=self.state.value.strip() or None,
        )

    def say(self, said: str) -> None:
        """Show a sentence that a screen reader reads out by itself."""
        # a region whose text stays the same is not read out again
        self._says += 1
        mark = "\N{ZERO WIDTH SPACE}" * (self._says % 2)
        self.status.value = f'<div role="status" aria-live="polite">{escape(said)}{mark}</div>'

    def _fill(self) -> None:
        chosen = self.list.value
        found: list[Letter] = self.store.find(self.filter(), limit=SHOWN)
        ids = [letter.id for letter in found]
        self.list.options = [(self._line(letter), letter.id) for letter in found]
        self.list.value = chosen if chosen in ids else (ids[0] if ids else None)
        self._show()

    def _step(self, by: int) -> None:
        ids = [value for _, value in self.list.options]
        if self._chosen():
            place = ids.index(self.list.value) + by
            if place in range(len(ids)):
                self.list.value = ids[place]
            place = ids.index(self.list.value)
            self.say(texts.LETTERS_CHOSEN.format(n=place + 1, all=len(ids), line=self.list.options[place][0]))

    def _show(self) -> None:
        if self.list.value is None:
            self.details.value = ""
            return
        letter = self.store.get(self.list.value)
        shown = named_values(texts.LETTERS_ONE.format(id=letter.id), described(letter))
        if letter.traceback:
            shown += f"<pre>{escape(letter.traceback.rstrip())}</pre>"
        self.details.value = shown

    @staticmethod
    def _line(letter: Letter) -> str:
        when = letter.when.astimezone().strftime("%d %b %H:%M:%S")
        name = letter.task.rpartition(".")[2]
        return texts.LETTERS_LINE.format(
            when=when, task=name, kind=letter.kind, what=what(letter, WIDE), state=letter.state
        )

    # -- do -----------------------------------------------------------------------------

    def _replay(self) -> None:
        if self._chosen():
            new_id = self._package.replay(self.store, self.app, self.list.value)
            self._done(texts.LETTERS_REPLAYED.format(id=self.list.value, new_id=new_id))

    def _drop(self) -> None:
        if self._chosen() and self._sure(
            texts.LETTERS_SURE_DROP.format(id=self.list.value), ("drop", self.list.value)
        ):
            dropped = self.list.value
            self.store.drop(dropped)
            self._done(texts.LETTERS_DROPPED.format(id=dropped))

    def _replay_all(self) -> None:
        n, wanted = self.store.count(self.filter()), self.filter()
        if self._sure(texts.LETTERS_SURE_REPLAY_ALL.format(n=n), ("replay", n, wanted)):
            done = list(self._package.replay_all(self.store, self.app, wanted))
            refused = [one.problem for one in done if one.problem]
            said = texts.LETTERS_REPLAYED_ALL.format(n=len(done) - len(refused), refused=len(refused))
            self._done(" ".join([said, *refused[:1]]))

    def _drop_all(self) -> None:
        n, wanted = self.store.count(self.filter()), self.filter()
        if self._sure(texts.LETTERS_SURE_DROP_ALL.format(n=n), ("drop", n, wanted)):
            self._done(texts.LETTERS_DROPPED_ALL.format(n=self.store.drop_all(wanted)))

    def _chosen(self) -> bool:
        if self.list.value is None:
            self.say(texts.LETTERS_NOTHING_CHOSEN)
        return self.list.value is not None

    def _sure(self, question: str, about: tuple[object, ...]) -> bool:
        """Ask at the first press, and agree to the second."""
        if self._asked == about:
            return True
        self._asked = about
        self.say(question)
        return False

    def _done(self, said: str) -> None:
        self._asked = None
        self._fill()
        self.say(said)

    def _carefully(self, do: Callable[[], None]) -> None:
        """Do something; what goes wrong is said, since nobody would see an exception of a button."""
        try:
            do()
        except Exception as problem:  # noqa: BLE001
            self._asked = None
            self.say(texts.LETTERS_PROBLEM.format(problem=problem))
