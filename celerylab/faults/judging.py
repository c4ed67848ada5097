"""From evidence to a report: one line a claim. Pure, so that what it says can be tested by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from celerylab.faults import texts
from celerylab.faults.evidence import LANES, SIZES, Evidence, Photo

MOST_TRIES = 4
CROWD = 6  # bulk photos ahead of an urgent one; with fewer, no queue is a fault
SHOWN = 3  # names in a sentence


@dataclass(frozen=True)
class Line:
    """One claim, and whether it holds.

    Attributes
    ----------
    key
        One of ``texts.LINES``.
    found
        The figures.
    ok
        ``None`` if there is nothing to judge, or not yet.
    seen
        Why not: a sentence for each thing that was seen.
    """

    key: str
    found: str
    ok: bool | None
    seen: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The claim."""
        return texts.LINES[self.key]

    @property
    def verdict(self) -> str:
        """Its verdict, in words."""
        return texts.NOT_JUDGED if self.ok is None else texts.OK if self.ok else texts.FAILED


def judge(found: Evidence) -> list[Line]:
    """Judge every claim on what is known by now."""
    return [
        _photos_in(found),
        _none_lost(found),
        _none_double(found),
        _none_waits(found),
        _urgent_first(found),
        _none_hidden(found),
        _tries_bounded(found),
        _letters(found),
    ]


def tried(found: Evidence, photo: Photo) -> int:
    """Return how often a photo's first task was tried, as far as messages and letters tell."""
    tries = [each.tries for each in found.messages if each.is_of(photo.name)]
    tries += [each.tries for each in found.letters if each.photo == photo.name]
    return max(tries, default=1)


def too_often(found: Evidence) -> bool:
    """Say whether a bad picture was tried more often than is allowed."""
    return any(tried(found, photo) > MOST_TRIES for photo in found.bad)


def complete(found: Evidence) -> bool:
    """Say whether every good photo is out, and every bad one has come to an end."""
    rows = set(found.album)
    mended = set(found.mended)
    out = all(photo.name in rows for photo in found.taken if photo.good or photo.name in mended)
    return out and (not found.bad or _settled(found))


def hidden(found: Evidence) -> tuple[list[str], list[str]]:
    """Return the bad pictures that are in the album, and those whose task reads SUCCESS."""
    rows = set(found.album_before if found.mended else found.album)
    in_album = [photo.name for photo in found.bad if photo.name in rows]
    success = [
        photo.name
        for photo in found.bad
        if photo.task_id and found.states.get(photo.task_id) == "SUCCESS" and photo.name not in in_album
    ]
    return in_album, success


def names(all_of_them: Iterable[str]) -> str:
    """Return names for a sentence, and how many more there are."""
    listed = list(all_of_them)
    more = texts.MORE.format(n=len(listed) - SHOWN) if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more


def times(n: int) -> str:
    """Return how often, in words."""
    return texts.TIMES.get(n, texts.N_TIMES.format(n=n))


def _photos_in(found: Evidence) -> Line:
    stored = [photo.name for photo in found.taken if photo.name in found.stored]
    missing = [photo.name for photo in found.taken if photo.name not in found.stored]
    refused: dict[int, list[str]] = {}
    for photo in found.photos:
        if photo.status != 202:
            refused.setdefault(photo.status, []).append(photo.name)
    seen = [
        texts.SEEN_LINES["refused"].format(status=status, names=names(each))
        for status, each in refused.items()
    ]
    if missing:
        seen.append(texts.SEEN_LINES["not_stored"].format(names=names(missing)))
    return _line("in", seen, found.photos, sent=len(found.photos), taken=len(found.taken), stored=len(stored))


def _none_lost(found: Evidence) -> Line:
    rows = set(found.album)
    out = [photo for photo in found.good if photo.name in rows]
    missing = [photo.name for photo in found.good if photo.name not in rows]
    broken = [photo.name for photo in out if set(found.renditions.get(photo.name, ())) != set(SIZES)]
    seen = []
    over = found.ended or found.stuck is not None
    if missing and found.stuck is not None and not found.ended:
        seen.append(texts.SEEN_LINES["stuck"].format(seconds=found.stuck, names=names(missing)))
        if left := [name for name in missing if any(each.is_of(name) for each in found.messages)]:
            seen.append(texts.SEEN_LINES["left"].format(names=names(left)))
    elif missing and found.ended:
        seen.append(texts.SEEN_LINES["no_row"].format(names=names(missing)))
    if missing and over and (queues := sorted({each.queue for each in found.messages} - set(LANES))):
        seen.append(texts.SEEN_LINES["stranded"].format(queues=names(queues)))
    if broken and over:
        seen.append(texts.SEEN_LINES["broken"].format(names=names(broken)))
    if seen:
        seen += [
            texts.SEEN_LINES["failed"].format(photo=letter.photo, why=letter.why)
            for letter in found.letters
            if letter.photo in missing
        ][:1]
    readable = sum(len(found.renditions.get(photo.name, ())) for photo in found.good)
    return _line(
        "lost", seen, over and found.good, good=len(found.good), out=len(out),
        renditions=readable, wanted=len(found.good) * len(SIZES),
    )  # fmt: skip


def _none_double(found: Evidence) -> Line:
    counted = Counter(found.album)
    double = {name: n for name, n in counted.items() if n > 1}
    listed = names(
        texts.SEEN_LINES["double_one"].format(photo=name, times=times(n)) for name, n in double.items()
    )
    seen = [texts.SEEN_LINES["double"].format(names=listed)] if double else []
    over = found.ended or found.stuck is not None
    return _line("double", seen, over and found.album, rows=len(found.album), photos=len(counted))


def _none_waits(found: Evidence) -> Line:
    parents = sorted(set(found.parents))
    seen = [texts.SEEN_LINES["waiting"].format(parents=names(parents))] if parents else []
    return _line("waiting", seen, found.looks, looks=found.looks, found=len(parents))


def _urgent_first(found: Evidence) -> Line:
    place = {name: n for n, name in reversed(list(enumerate(found.album)))}
    urgent = [photo for photo in found.good if photo.urgent and len(photo.behind) >= CROWD]
    late, judged, seen = 0, 0, []
    for photo in urgent:
        end = place.get(photo.name)
        if end is None and not found.ended:
            continue
        judged += 1
        # one that never came is later than all that did
        first = [name for name in photo.behind if name in place and (end is None or place[name] < end)]
        if len(first) * 2 > len(photo.behind):
            late += 1
            facts = {"name": photo.name, "done": len(first), "n": len(photo.behind)}
            seen.append(texts.SEEN_LINES["late"].format(**facts))
    return _line("urgent", seen, judged, late=late, urgent=judged)


def _none_hidden(found: Evidence) -> Line:
    in_album, success = hidden(found)
    seen = []
    if in_album:
        seen.append(texts.SEEN_LINES["hidden_row"].format(names=names(in_album)))
    if success and not found.mended:
        seen.append(texts.SEEN_LINES["hidden_state"].format(names=names(success)))
    else:
        success = []
    return _line("hidden", seen, _settled(found), bad=len(found.bad), hidden=len(in_album) + len(success))


def _tries_bounded(found: Evidence) -> Line:
    tries = {photo.name: tried(found, photo) for photo in found.bad}
    seen = [
        texts.SEEN_LINES["tries"].format(name=name, times=times(n), most=MOST_TRIES)
        for name, n in tries.items()
        if n > MOST_TRIES
    ]
    if not seen and found.stuck is not None:
        endless = [name for name in tries if any(each.is_of(name) for each in found.messages)]
        seen = [texts.SEEN_LINES["no_end"].format(name=name, times=times(tries[name])) for name in endless]
    return _line("tries", seen[:1], _settled(found), bad=len(tries), tries=max(tries.values(), default=0))


def _letters(found: Evidence) -> Line:
    in_album, success = hidden(found)
    known = {photo.name for photo in found.bad}
    first = [letter for letter in found.letters if not letter.replay]
    told = {letter.photo for letter in first} | set(in_album + success)
    lacking = [photo.name for photo in found.bad if photo.name not in told]
    seen = [texts.SEEN_LINES["no_letter"].format(names=names(lacking))] if lacking and found.ended else []
    # a letter of a good photo that is not in the album says why that one is lost
    lost = {photo.name for photo in found.good} - set(found.album)
    if strange := sorted({each.photo or each.id for each in first if each.photo not in known | lost}):
        seen.append(texts.SEEN_LINES["strange"].format(names=names(strange)))
    counted = {letter.id: found.alerts[letter.id] for letter in first}
    if found.mended:
        seen += [
            texts.SEEN_LINES["alerts"].format(photo=letter.photo or letter.id, n=counted[letter.id])
            for letter in first
            if counted[letter.id] != 1
        ][:1]
    rows = Counter(found.album)
    back = [name for name in found.mended if rows[name] == 1]
    if gone := [name for name in found.mended if name not in back]:
        seen.append(texts.SEEN_LINES["replayed"].format(names=names(gone)))
    return _line(
        "letters", seen, found.mended, letters=len(first), alerted=sum(n == 1 for n in counted.values()),
        replayed=len(back), mended=len(found.mended),
    )  # fmt: skip


def _settled(found: Evidence) -> bool:
    """Say whether every bad picture has come to an end."""
    return bool(found.bad) and all(
        found.states.get(photo.task_id or "") in ("SUCCESS", "FAILURE", "REVOKED")
        or any(letter.photo == photo.name for letter in found.letters)
        or photo.name in found.album
        for photo in found.bad
    )


def _line(key: str, seen: list[str], judged: object, **facts: object) -> Line:
    """Make a line: failed if something was seen, else fine if there was something to judge."""
    ok = False if seen else (True if judged else None)
    return Line(key, texts.FOUND[key].format(**facts), ok, tuple(seen))
