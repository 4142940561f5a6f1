"""MED: what may be published, and what must come down. Asked of a post each time before it goes out."""

from __future__ import annotations

from collections.abc import Iterable

from socialgov.models import AccountState, Answer, Fact, PersonKind, PostState, Use, When
from socialgov.rules.base import AccountRule, PostRule, counted, day_words
from socialgov.rules.facts import AccountFacts, PostFacts, Shown
from socialgov.rules.grants import Coverage, covers


def in_picture(facts: PostFacts) -> list[Shown]:
    """Whom the photos, recordings or works show."""
    return [one for one in facts.shown if one.use is not Use.NAME]


def in_text(facts: PostFacts) -> list[Shown]:
    """Whom the words name."""
    return [one for one in facts.shown if one.in_text or one.use is Use.NAME]


def _coverage(facts: PostFacts, one: Shown, use: Use) -> Coverage:
    return covers(one.grants, one.person_id, use, facts.account.id, facts.today, kind=one.kind)


def _pupils(shown: Iterable[Shown]) -> list[Shown]:
    return [one for one in shown if one.kind is PersonKind.PUPIL]


def _adults(shown: Iterable[Shown]) -> list[Shown]:
    return [one for one in shown if one.kind is not PersonKind.PUPIL]


def _nobody_named_yet(facts: PostFacts) -> bool:
    """There is a picture, and nobody has said who is in it, or that nobody can be recognised."""
    return bool(facts.media) and not in_picture(facts) and not facts.post.nobody_identifiable


class _ShownRule(PostRule):
    """A rule that must be right for each person shown: `wrong` names those for whom it is not."""

    unknown = "Say who is in the picture, or that nobody in it can be recognised."

    def wrong(self, facts: PostFacts) -> list[str]:
        """One sentence for each person for whom the rule does not hold."""
        return []

    def check(self, facts: PostFacts) -> bool | None:
        if self.wrong(facts):
            return False
        return None if _nobody_named_yet(facts) else True

    def because(self, facts: PostFacts, answer: bool | None) -> str:
        return " ".join(self.wrong(facts)) if answer is False else super().because(facts, answer)


class ParentsPermit(_ShownRule):
    """That somebody entitled to it has permitted the use at all; MED504 asks whether that covers this post today."""

    id = "MED501"
    title = "A parent or carer has permitted this use (photo, video, name, work, voice) of every identifiable child"
    source = "P1.S6, P2.8, P3.12, P4"
    advice = "Show only children whose parents have permitted it. Choose another picture, or crop it."
    holds = "A permission is on record for every child that can be recognised."

    def wrong(self, facts: PostFacts) -> list[str]:
        return [
            f"No parent or carer of {one.name} has permitted this ({one.use.value})."
            for one in _pupils(in_picture(facts))
            if not any(
                grant.answer is Answer.GRANTED and grant.use is one.use and grant.given_by != one.person_id
                for grant in one.grants
                if grant.person_id == one.person_id
            )
        ]


class AdultsPermit(_ShownRule):
    id = "MED502"
    title = "Staff and other adults shown have permitted it"
    source = "P3.12, P4"
    advice = "Ask the adults in the picture, and have the answer recorded."
    holds = "Every adult shown has permitted it."

    def wrong(self, facts: PostFacts) -> list[str]:
        answers = [(one, _coverage(facts, one, one.use)) for one in _adults(in_picture(facts))]
        return [f"{one.name}: {answer.reason}" for one, answer in answers if not answer.permitted]


class NamedInText(PostRule):
    id = "MED503"
    title = "A child named or identifiable in the text is covered the same way"
    source = 'P1.S6 ("messages"), P5'
    advice = "Leave names out of the text. Where a name must be in it, its use must be permitted."
    holds = "Nobody is named in the text without permission."
    unknown = "Nobody has searched the text for names yet."

    def check(self, facts: PostFacts) -> bool | None:
        if self._wrong(facts) or facts.names_in_text_not_listed:
            return False
        return True if facts.names_in_text_not_listed is not None or not facts.post.text.strip() else None

    def because(self, facts: PostFacts, answer: bool | None) -> str:
        if answer is not False:
            return super().because(facts, answer)
        found = facts.names_in_text_not_listed or ()
        named = [f"The text seems to name {', '.join(found)}: list them, or leave the name out."] if found else []
        return " ".join(self._wrong(facts) + named)

    @staticmethod
    def _wrong(facts: PostFacts) -> list[str]:
        answers = [(one, _coverage(facts, one, Use.NAME)) for one in in_text(facts)]
        return [f"{one.name}: {answer.reason}" for one, answer in answers if not answer.permitted]


class CoveredToday(_ShownRule):
    id = "MED504"
    title = (
        "The permission covers this channel on this date; a refusal, a withdrawal or a disagreement between parents"
        " wins"
    )
    source = "P1.S6, UK"
    advice = "Do not show a child when one parent says no, or when the permission is for something else or has ended."
    holds = "What is permitted covers this account today."

    def wrong(self, facts: PostFacts) -> list[str]:
        answers = [(one, _coverage(facts, one, one.use)) for one in _pupils(in_picture(facts))]
        return [f"{one.name}: {answer.reason}" for one, answer in answers if not answer.permitted]


class EveryoneAccountedFor(PostRule):
    """Faces are not counted by this version: it relies on the number that the author states."""

    id = "MED505"
    title = "Everyone in the picture is accounted for: no more faces than people named"
    source = 'P4 ("all those included")'
    advice = "Count the people who can be recognised, and name each of them."
    later = "faces are not counted in this version. State how many people can be recognised in the picture."

    def check(self, facts: PostFacts) -> bool | None:
        if not facts.media:
            return True
        if facts.people_in_picture is None:
            return None
        return facts.people_in_picture <= self._named(facts)

    def because(self, facts: PostFacts, answer: bool | None) -> str:
        if not facts.media:
            return "There is no picture."
        if answer is None:
            return super().because(facts, answer)
        people = counted(facts.people_in_picture or 0, "person", "people")
        return f"{people} to be recognised, as the author counted; {self._named(facts) or 'nobody'} named.".capitalize()

    @staticmethod
    def _named(facts: PostFacts) -> int:
        return len({one.person_id for one in in_picture(facts)})


class SecondLook(PostRule):
    id = "MED506"
    title = "A second member of staff has looked, where the school asks for it"
    source = "UK (ICO)"
    advice = "Ask a colleague to look at the post before it goes out."

    def check(self, facts: PostFacts) -> bool | None:
        post = facts.post
        if not facts.policy.second_checker:
            return True
        looked = post.checked_at is not None and post.checked_by is not None
        return looked and post.checked_by != post.author_id and post.state is not PostState.REFUSED

    def because(self, facts: PostFacts, answer: bool | None) -> str:
        if not facts.policy.second_checker:
            return "The school does not ask for a second look."
        if answer:
            return "A colleague has looked."
        if facts.post.state is PostState.REFUSED:
            return "The colleague who looked said no."
        if facts.post.checked_by == facts.post.author_id:
            return "Its author cannot be the second to look."
        return "No colleague has looked yet."


class PermanenceConfirmed(PostRule):
    id = "MED507"
    title = "The poster has confirmed, each time, that what is online cannot be taken back"
    source = "P1.S7"
    advice = "Read the post once more and confirm: what is online can be copied and stays."
    holds = "The author confirmed that what is online cannot be taken back."
    broken = "The author has not confirmed yet that what is online cannot be taken back."

    def check(self, facts: PostFacts) -> bool | None:
        return facts.post.permanence_confirmed_at is not None


class SchoolEquipment(PostRule):
    id = "MED508"
    title = "Taken on school equipment, for a professional purpose"
    source = "P1.A10, P4"
    advice = "Take pictures with the school's camera or phone, never with your own."
    holds = "The author said that it was taken on school equipment for work."
    broken = "The author has not said that it was taken on school equipment for work."

    def check(self, facts: PostFacts) -> bool | None:
        return facts.post.school_equipment or not facts.media

    def because(self, facts: PostFacts, answer: bool | None) -> str:
        return super().because(facts, answer) if facts.media else "There is no picture."


class OwnWork(PostRule):
    id = "MED509"
    title = "The school's own work, or used with permission and credited"
    source = "P1.A11, P2.11, P4"
    advice = "Use what the school made. Where it is another's, get permission and name them."
    broken = "The author has not said that it is the school's own work, nor whom to credit."

    def check(self, facts: PostFacts) -> bool | None:
        return facts.post.own_work or bool((facts.post.credit or "").strip())

    def because(self, facts: PostFacts, answer: bool | None) -> str:
        if not answer:
            return self.broken
        return "It is the school's own work." if facts.post.own_work else "It is used with permission and credited."


class NoHiddenData(PostRule):
    id = "MED510"
    title = "Carries no place, device or author data"
    source = "UK"
    advice = "Upload the photo here: what is hidden in it is taken out before it goes further."
    holds = "Place, device and author were taken out of each picture."
    broken = "A picture may still carry place, device or author: upload it again."

    def check(self, facts: PostFacts) -> bool | None:
        return all(photo.cleaned for photo in facts.media)

    def because(self, facts: PostFacts, answer: bool | None) -> str:
        return super().because(facts, answer) if facts.media else "There is no picture."


class WhileLive(PostRule):
    id = "MED511"
    title = "Published only while the account is live"
    source = "P1.S8"
    advice = "Post only while the account is live."
    holds = "The account is live."

    def check(self, facts: PostFacts) -> bool | None:
        return facts.account.state is AccountState.LIVE

    def because(self, facts: PostFacts, answer: bool | None) -> str:
        return self.holds if answer else f"The account is {facts.account.state.value}, not live."


class NothingPastTheGate(AccountRule):
    id = "MED512"
    title = "Nothing appears on the account that did not pass this gate"
    source = "P1.S9"
    advice = "Post only through socialgov. What appeared past it must be looked at, and most likely come down."
    when = (When.WATCH,)
    evidence = (Fact.OUTSIDE_POSTS,)
    holds = "Everything on the account passed the school's checks."

    def check(self, facts: AccountFacts) -> bool | None:
        number = facts.value(Fact.OUTSIDE_POSTS)
        return None if number is None else number == 0

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if answer is False:
            return f"{counted(facts.value(Fact.OUTSIDE_POSTS), 'post')} on the account past the school's checks."
        return super().because(facts, answer)


class ComesDown(AccountRule):
    id = "MED513"
    title = "When permission is withdrawn, everything showing the child comes down, by a deadline"
    source = "P1.S6, UK"
    advice = "Take the post down at once when a permission is withdrawn, here and on the platform."
    when = (When.WITHDRAWAL,)
    holds = "No published post shows anybody whose permission was withdrawn."

    def check(self, facts: AccountFacts) -> bool | None:
        due = facts.take_down_due_at
        if any(moment <= facts.now for moment in due):
            return False
        return None if due else True

    def because(self, facts: AccountFacts, answer: bool | None) -> str:
        if answer:
            return self.holds
        due = facts.take_down_due_at
        by = min(due).astimezone(facts.zone)
        verb = "must" if answer is None else "had to"
        return f"{counted(len(due), 'post')} {verb} come down by {by:%H:%M} on {day_words(by.date())}."


RULES = (
    ParentsPermit,
    AdultsPermit,
    NamedInText,
    CoveredToday,
    EveryoneAccountedFor,
    SecondLook,
    PermanenceConfirmed,
    SchoolEquipment,
    OwnWork,
    NoHiddenData,
    WhileLive,
    NothingPastTheGate,
    ComesDown,
)
