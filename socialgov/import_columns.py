"""Which columns the four import files have, under which headers schools' information systems export them, and which
words stand for which value. Data only.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from socialgov.csvfiles import Column
from socialgov.models import AccountKind, Answer, PersonKind, Use


class ImportKind(StrEnum):
    PEOPLE = "people"
    CARERS = "carers"
    PERMISSIONS = "permissions"
    ACCOUNTS = "accounts"


_REF = Column(
    "ref",
    "Reference",
    ("id", "person id", "pupil id", "student id", "staff id", "admission number", "admission no", "adno", "upn",
     "mis id", "sims id", "arbor id", "pupil ref", "student ref", "unique pupil number"),
    required=True,
)  # fmt: skip
_FIRST = Column(
    "first_name",
    "First name",
    ("forename", "forenames", "given name", "preferred first name", "preferred forename", "legal first name",
     "chosen name", "christian name", "contact forename", "contact first name"),
    required=True,
)  # fmt: skip
_LAST = Column(
    "last_name",
    "Last name",
    ("surname", "family name", "preferred surname", "preferred last name", "legal surname", "legal last name",
     "contact surname", "contact last name"),
    required=True,
)  # fmt: skip
_EMAIL = Column("email", "E-mail", ("email address", "e-mail address", "primary email", "mail", "contact email"))
_PUPIL_REF = Column(
    "pupil_ref",
    "Pupil reference",
    ("pupil", "pupil id", "student id", "student ref", "admission number", "admission no", "adno", "upn",
     "child ref", "child id", "student reference"),
    required=True,
)  # fmt: skip

COLUMNS: Mapping[ImportKind, tuple[Column, ...]] = {
    ImportKind.PEOPLE: (
        _REF,
        _FIRST,
        _LAST,
        Column("kind", "Kind", ("type", "person type", "role", "category")),
        _EMAIL,
        Column("born_on", "Date of birth", ("dob", "birth date", "birthdate", "born", "date of birth dob")),
        Column("year_group", "Year group", ("year", "nc year", "national curriculum year", "yr", "year grp")),
        Column("form", "Form", ("registration group", "reg group", "reg", "tutor group", "class", "registration form")),
    ),
    ImportKind.CARERS: (
        Column(
            "ref",
            "Carer reference",
            ("id", "contact id", "carer id", "parent id", "guardian id", "reference", "contact ref", "parent ref"),
            required=True,
        ),
        _FIRST,
        _LAST,
        _EMAIL,
        _PUPIL_REF,
        Column("relation", "Relation", ("relationship", "relation to pupil", "relationship to student", "role")),
    ),
    ImportKind.PERMISSIONS: (
        Column(
            "person_ref",
            "Person reference",
            ("pupil ref", "pupil id", "student id", "student ref", "admission number", "admission no", "adno", "upn",
             "reference", "ref", "id", "person id", "pupil reference"),
            required=True,
        ),
        Column("person_kind", "Kind", ("person kind", "type", "person type")),
        Column("use", "Use", ("permission", "consent type", "parental consent", "consent", "permission type")),
        Column("answer", "Answer", ("response", "value", "given", "consent given", "decision", "status")),
        Column(
            "given_by",
            "Given by",
            ("carer ref", "contact id", "carer id", "parent id", "parent ref", "answered by", "consented by"),
        ),
        Column("given_on", "Given on", ("date", "date given", "consent date", "response date", "recorded on")),
        Column("valid_until_on", "Valid until", ("expires", "expiry date", "expiry", "end date", "until")),
        Column("basis", "Basis", ("lawful basis", "legal basis")),
        Column("account", "Account", ("account handle", "handle", "channel")),
        *(
            Column(f"use_{use.value}", f"{use.value.capitalize()} permission", headers)
            for use, headers in (
                (Use.PHOTO, ("photo", "photos", "photograph", "photographs", "photo consent", "images")),
                (Use.VIDEO, ("video", "videos", "film", "video consent", "filming")),
                (Use.NAME, ("use of name", "name consent", "first name use", "name in publications")),
                (Use.WORK, ("work", "school work", "work consent", "art work", "artwork")),
                (Use.VOICE, ("voice", "voice consent", "sound", "recordings")),
            )
        ),
    ),
    ImportKind.ACCOUNTS: (
        Column("platform", "Platform", ("network", "service", "site"), required=True),
        Column("handle", "Handle", ("account", "account name", "username", "user name", "url", "link"), required=True),
        Column("kind", "Kind", ("type", "account type")),
        Column("purpose", "Purpose", ("what for", "description", "use"), required=True),
        Column("audience", "Audience", ("for whom", "followers", "target audience"), required=True),
        Column("owner", "Owner", ("owner email", "responsible", "staff", "person responsible"), required=True),
        Column("deputy", "Deputy", ("deputy email", "second", "deputy owner"), required=True),
        Column("starts_on", "Starts on", ("start", "start date", "opened", "created")),
        Column("ends_on", "Ends on", ("end", "end date", "closes", "closes on")),
        Column("review_on", "Review on", ("review", "review date", "next review")),
    ),
}  # fmt: skip

PERSON_KINDS = {
    PersonKind.PUPIL: ("pupil", "student", "child", "learner"),
    PersonKind.STAFF: ("staff", "teacher", "employee", "adult", "member of staff"),
    PersonKind.CARER: ("carer", "parent", "guardian", "contact"),
}
ANSWERS = {
    Answer.GRANTED: ("yes", "y", "true", "1", "granted", "given", "permitted", "consented", "consent given", "agreed"),
    Answer.REFUSED: ("no", "n", "false", "0", "refused", "denied", "not given", "declined", "consent refused"),
    Answer.WITHDRAWN: ("withdrawn", "withdrew", "consent withdrawn", "revoked"),
}
USES = {
    Use.PHOTO: ("photo", "photos", "photograph", "photographs", "image", "images", "picture", "pictures"),
    Use.VIDEO: ("video", "videos", "film", "filming"),
    Use.NAME: ("name", "names", "use of name"),
    Use.WORK: ("work", "school work", "artwork", "art work"),
    Use.VOICE: ("voice", "sound", "recording"),
}
ACCOUNT_KINDS = {
    AccountKind.TRIP: ("trip", "visit", "event"),
    AccountKind.STANDING: ("standing", "department", "club", "ongoing", "permanent"),
    AccountKind.WHOLE_SCHOOL: ("whole school", "school", "whole_school", "whole-school"),
}
