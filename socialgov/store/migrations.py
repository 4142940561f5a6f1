"""The schema, as sqlite-utils migrations. Strict tables, foreign keys, and triggers that make the log append-only.

No table has a school id: a home is one school, and no query can cross schools.
"""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("socialgov")

EXPECTED_TRIGGERS = frozenset(
    {"event_no_update", "event_no_delete", "checkpoint_no_update", "checkpoint_no_delete", "certificate_no_update",
     "certificate_no_delete", "reveal_no_update", "reveal_no_delete"}
)  # fmt: skip


def append_only(table: str, message: str, mutable: str = "") -> str:
    when = f" when {mutable}" if mutable else ""
    return f"""
    create trigger if not exists {table}_no_update before update on {table}{when}
      begin select raise(abort, '{message}'); end;
    create trigger if not exists {table}_no_delete before delete on {table}
      begin select raise(abort, '{message}'); end;
    """


def under_key_in_force(table: str, column: str) -> str:
    """Whoever still holds the old key in memory after a rotation must not keep anything that was sealed under it."""
    return f"""
    create trigger {table}_key_in_force before update of {column} on {table}
      when new.{column} is not null and exists (select 1 from meta where key = 'key_id'
        and value <> lower(hex(substr(new.{column}, 4, 8))))
      begin select raise(abort, 'the school key was changed'); end;
    """  # noqa: S608


@migrations()
def m0001_school(db: Database) -> None:
    """The school's staff, sign-in and log."""
    db.executescript(
        """
        create table meta (key text primary key, value text not null) strict;
        create table staff (
          id integer primary key, name text not null, email text not null unique, roles text not null,
          person_ref text, joined_at text not null, left_at text) strict;
        create table signin_link (
          id integer primary key, staff_id integer not null references staff, token_hash text not null unique,
          made_at text not null, expires_at text not null, used_at text) strict;
        create table session (
          id integer primary key, staff_id integer not null references staff, token_hash text not null unique,
          started_at text not null, seen_at text not null, expires_at text not null, ended_at text) strict;
        create index session_staff on session(staff_id);
        create table form_draft (
          staff_id integer not null references staff, form text not null, answers text not null,
          saved_at text not null, primary key (staff_id, form)) strict;
        create table event (
          seq integer primary key, at text not null, actor text not null, tag text not null, subject text not null,
          subject_id integer, account_id integer, data text not null, prev_hash text not null,
          hash text not null unique) strict;
        create index event_account on event(account_id, seq);
        create index event_tag on event(tag, seq);
        create table checkpoint (
          id integer primary key, seq integer not null, head text not null, at text not null, key_id text not null,
          signature text not null) strict;
        create table blob (
          id integer primary key, name text not null unique, content_sha256 text not null, size integer not null,
          mime text not null, purpose text not null, account_id integer, made_by integer references staff,
          made_at text not null, erased_at text) strict;
        create index blob_account on blob(account_id);
        """
        + append_only("event", "the log is append-only")
        + append_only("checkpoint", "checkpoints are append-only")
    )


@migrations()
def m0002_accounts(db: Database) -> None:
    """Accounts, what was observed about them, and what follows from it."""
    db.executescript(
        """
        create table account (
          id integer primary key, platform text not null, kind text not null, state text not null,
          handle_wished text not null, handle text, remote_id text, purpose text not null, audience text not null,
          owner_id integer not null references staff, deputy_id integer not null references staff,
          requested_by integer not null references staff, requested_at text not null, starts_on text not null,
          ends_on text, review_on text, school_email text, return_reason text, returned_at text,
          decided_by integer references staff, decided_at text, decision_reason text, live_at text,
          suspended_at text, suspend_reason text, confirmed_at text, closed_at text,
          found_unregistered integer not null default 0, check_due_at text, checked_at text, set_up_at text,
          version integer not null default 1,
          check (state in ('requested','approved','declined','withdrawn','live','suspended','closing','closed')),
          check (kind in ('trip','standing','whole_school'))) strict;
        create index account_state on account(state, ends_on);
        create index account_newest on account(state);
        create index account_check on account(state, check_due_at);
        create index account_owner on account(owner_id);
        create index account_deputy on account(deputy_id);
        create index account_platform on account(platform, state);
        create unique index account_remote on account(platform, remote_id) where remote_id is not null;
        create table observation (
          id integer primary key, account_id integer not null references account, fact text not null,
          value text not null, observed_at text not null, source text not null check (source in ('api','attested')),
          observed_by integer references staff, evidence_id integer references blob, note text) strict;
        create index observation_newest on observation(account_id, fact, observed_at desc, id desc);
        create table finding (
          account_id integer not null references account, rule_id text not null, answer integer,
          because text not null, enforcement text not null, evidence_at text, evidence_source text,
          evidence_by integer, waived_by integer, evaluated_at text not null, since_at text not null,
          primary key (account_id, rule_id)) strict;
        create index finding_answer on finding(answer, enforcement, account_id);
        create index finding_trouble on finding(account_id, answer)
          where enforcement = 'enforced' and waived_by is null and answer is not 1;
        create table waiver (
          id integer primary key, account_id integer not null references account, rule_id text not null,
          reason text not null, decided_by integer not null references staff, decided_at text not null,
          until_on text, ended_at text) strict;
        create index waiver_account on waiver(account_id);
        create table extension (
          id integer primary key, account_id integer not null references account, until_on text not null,
          reason text not null, asked_by integer not null references staff, asked_at text not null, approved integer,
          decided_by integer references staff, decided_at text, decision_reason text) strict;
        create index extension_account on extension(account_id);
        create unique index extension_open on extension(account_id) where approved is null;
        create table credential (
          id integer primary key, account_id integer not null references account, kind text not null,
          username text not null, email text, sealed blob, fingerprint text, strength integer not null,
          problems text not null, deposited_by integer references staff,
          deposited_at text not null, secret_at text not null, superseded_at text, destroyed_at text,
          spare integer not null default 0) strict;
        create index credential_account on credential(account_id, kind, superseded_at);
        create table credential_fingerprint (
          fingerprint text not null, credential_id integer not null references credential,
          primary key (fingerprint, credential_id)) strict, without rowid;
        create index credential_fingerprint_of on credential_fingerprint(credential_id);
        create table reveal (
          id integer primary key, credential_id integer not null references credential,
          staff_id integer not null references staff, reason text not null, at text not null) strict;
        """
    )


@migrations()
def m0003_people(db: Database) -> None:
    """People, what is permitted for them, audiences and followers."""
    db.executescript(
        """
        create table person (
          id integer primary key, kind text not null check (kind in ('pupil','carer','staff')), ref text not null,
          first_name text not null, last_name text not null, email text, born_on text, year_group text, form text,
          left_on text, unique (kind, ref)) strict;
        create index person_name on person(last_name, first_name);
        create table carer (
          carer_id integer not null references person, pupil_id integer not null references person,
          relation text not null, primary key (carer_id, pupil_id)) strict;
        create index carer_pupil on carer(pupil_id);
        create table grant_of (
          id integer primary key, person_id integer not null references person, use text not null,
          account_id integer references account, answer text not null, given_by integer references person,
          given_on text not null, valid_until_on text, basis text not null, recorded_at text not null,
          recorded_by integer references staff) strict;
        create index grant_person on grant_of(person_id, use);
        create table audience_member (
          account_id integer not null references account, person_id integer not null references person,
          added_at text not null, added_by integer references staff, left_at text,
          primary key (account_id, person_id)) strict;
        create table follower (
          id integer primary key, account_id integer not null references account, remote_id text not null,
          handle text not null, display_name text not null, first_seen_at text not null, last_seen_at text not null,
          gone_at text, decision text check (decision in ('accepted','refused')), person_id integer references person,
          decided_by integer references staff, decided_at text, reason text, waiting integer not null default 0,
          unique (account_id, remote_id)) strict;
        create index follower_person on follower(person_id);
        """
    )


@migrations()
def m0004_posts(db: Database) -> None:
    """Posts, their photos and who is in them."""
    db.executescript(
        """
        create table post (
          id integer primary key, account_id integer not null references account,
          author_id integer not null references staff, state text not null, text text not null,
          created_at text not null, permanence_confirmed_at text, school_equipment integer not null default 0,
          own_work integer not null default 0, credit text, nobody_identifiable integer not null default 0,
          checked_by integer references staff, checked_at text, check_reason text, publishing_at text,
          published_at text, remote_id text, removed_at text, version integer not null default 1,
          people_in_picture integer, link text, evidence_id integer references blob, take_down_by_at text) strict;
        create index post_account on post(account_id, state);
        create table media (
          id integer primary key, post_id integer not null references post, blob_id integer not null references blob,
          mime text not null, width integer not null, height integer not null, alt text not null,
          cleaned integer not null) strict;
        create index media_post on media(post_id);
        create table depiction (
          post_id integer not null references post, person_id integer not null references person,
          use text not null, in_text integer not null default 0, added_by integer references staff,
          primary key (post_id, person_id, use)) strict;
        create index depiction_person on depiction(person_id);
        create table seen_post (
          account_id integer not null references account, remote_id text not null, first_seen_at text not null,
          post_id integer references post, primary key (account_id, remote_id)) strict;
        """
    )


@migrations()
def m0005_closing(db: Database) -> None:
    """Closings, their proof, and the mail that must not be lost."""
    db.executescript(
        """
        create table closing (
          id integer primary key, account_id integer not null unique references account, reason text not null,
          started_at text not null, started_by integer references staff, finished_at text) strict;
        create table closing_step (
          id integer primary key, closing_id integer not null references closing, position integer not null,
          name text not null, doer text not null, state text not null, not_before_at text,
          attempts integer not null default 0, last_error text, done_at text, done_by integer references staff,
          observation_id integer references observation, detail text not null default '{}', claimed_until text,
          unique (closing_id, position)) strict;
        create index closing_step_state on closing_step(state, not_before_at);
        create table certificate (
          id integer primary key, account_id integer not null unique references account, issued_at text not null,
          body text not null, signature text not null, key_id text not null) strict;
        create table notice (
          id integer primary key, staff_id integer not null references staff, account_id integer references account,
          kind text not null, text text not null, made_at text not null, read_at text,
          dedupe_key text not null unique) strict;
        create index notice_staff on notice(staff_id, read_at);
        create table outbox (
          id integer primary key, to_address text not null, subject text not null, body text not null, path text,
          dedupe_key text not null unique, queued_at text not null, next_at text not null, attempts integer not null,
          claimed_until text, sent_at text, gave_up_at text, last_error text) strict;
        create index outbox_due on outbox(sent_at, gave_up_at, next_at);
        create table job_run (
          name text primary key, claimed_until text, started_at text, finished_at text, result text,
          error text) strict;
        """
        + append_only("certificate", "certificates are append-only")
    )


@migrations()
def m0006_vault(db: Database) -> None:
    """The vault that only network managers open, its ways in, and what hangs on a changed password (SEC201-SEC207)."""
    db.executescript(
        """
        create table vault_key (
          id integer primary key, key_id text not null unique, public_key blob not null, proof blob not null,
          made_at text not null, retired_at text) strict;
        create unique index vault_key_current on vault_key(coalesce(retired_at, '')) where retired_at is null;
        create table vault_holder (
          id integer primary key, kind text not null check (kind in ('manager','invitation')),
          staff_id integer not null references staff, salt blob not null, cost text not null, sealed_public blob,
          wrapped blob, vault_key_id integer not null references vault_key, made_at text not null,
          made_by integer references staff, expires_at text, ended_at text) strict;
        create unique index vault_holder_current on vault_holder(kind, staff_id) where ended_at is null;
        create table vault_opening (
          id integer primary key, session_id integer not null references session,
          staff_id integer not null references staff, sealed blob, opened_at text not null, expires_at text not null,
          ended_at text, break_glass_id integer) strict;
        create index vault_opening_session on vault_opening(session_id) where ended_at is null;
        create table recovery_set (
          id integer primary key, public_key blob not null, proof blob not null, check_value blob not null,
          sealed blob not null,
          made_at text not null, drilled_at text, ended_at text) strict;
        create table break_glass (
          id integer primary key, reason text not null, asked_by integer not null references staff,
          asked_at text not null, approved_by integer references staff, approved_at text, opens_at text,
          closes_at text not null, opened_at text, stopped_by integer references staff, stopped_at text,
          stop_reason text, ended_at text) strict;
        create unique index break_glass_open on break_glass(coalesce(ended_at, '')) where ended_at is null;
        alter table reveal add column shown text not null default 'password';
        alter table reveal add column address text not null default '';
        alter table reveal add column break_glass_id integer references break_glass;
        create table rotation (
          id integer primary key, account_id integer not null references account, reason text not null,
          detail text not null default '', started_at text not null, started_by integer references staff,
          due_at text not null, leaver_id integer references staff, old_credential_id integer references credential,
          new_credential_id integer references credential, finished_at text) strict;
        create unique index rotation_open on rotation(account_id) where finished_at is null;
        create index rotation_leaver on rotation(leaver_id);
        create index credential_depositor on credential(deposited_by);
        create index reveal_staff on reveal(staff_id);
        create table recovery_contact (
          id integer primary key, account_id integer not null references account,
          kind text not null check (kind in ('address','phone','second_factor')), value text not null,
          of_school integer not null, staff_id integer references staff, recorded_by integer references staff,
          recorded_at text not null, ended_at text) strict;
        create index recovery_contact_account on recovery_contact(account_id);
        create index recovery_contact_staff on recovery_contact(staff_id);
        create table delegate (
          id integer primary key, account_id integer not null references account, name text not null,
          rights text not null, staff_id integer references staff, recorded_by integer references staff,
          recorded_at text not null, ended_at text) strict;
        create index delegate_account on delegate(account_id);
        create index delegate_staff on delegate(staff_id);
        -- what a later policy can be measured by without the secret; null: not measured, or not a password
        alter table credential add column length_at_least integer;
        alter table credential add column signs text;
        alter table credential add column one_word integer;
        -- recovery codes: how many were deposited, and the numbers of those that were used
        alter table credential add column codes integer;
        alter table credential add column struck text not null default '[]';
        alter table blob add column wrapped blob;
        create index reveal_credential on reveal(credential_id);
        """
        + append_only("reveal", "looks are append-only")
        + under_key_in_force("credential", "sealed")
        + under_key_in_force("vault_holder", "wrapped")
        + under_key_in_force("vault_opening", "sealed")
        + under_key_in_force("blob", "wrapped")
    )


@migrations()
def m0007_signin(db: Database) -> None:
    """Identities of an OpenID provider, passkeys, authenticator codes, and what each sign-in was."""
    db.executescript(
        """
        create table identity (
          id integer primary key, staff_id integer not null references staff, issuer text not null,
          subject text not null, email text not null, linked_at text not null, linked_by integer references staff,
          used_at text, ended_at text) strict;
        create unique index identity_current on identity(issuer, subject) where ended_at is null;
        create index identity_staff on identity(staff_id);
        create table passkey (
          id integer primary key, staff_id integer not null references staff, credential_id text not null unique,
          public_key blob not null, sign_count integer not null, name text not null, transports text not null,
          backed_up integer not null, made_at text not null, used_at text, ended_at text) strict;
        create index passkey_staff on passkey(staff_id);
        create table authenticator (
          id integer primary key, staff_id integer not null references staff, sealed blob, made_at text not null,
          confirmed_at text, last_step integer, ended_at text) strict;
        create unique index authenticator_current on authenticator(staff_id) where ended_at is null;
        create table ceremony (
          id integer primary key, purpose text not null, token_hash text not null unique,
          staff_id integer references staff, session_id integer references session, data text not null,
          made_at text not null, expires_at text not null, used_at text) strict;
        create index ceremony_expiry on ceremony(expires_at);
        create table signin_failure (
          id integer primary key, kind text not null check (kind in ('person','address')), key_hash text not null,
          at text not null) strict;
        create index signin_failure_key on signin_failure(kind, key_hash, at);
        alter table session add column method text not null default 'link';
        alter table session add column address text not null default '';
        alter table session add column agent text not null default '';
        alter table session add column strong_at text;
        alter table session add column strong_method text;
        alter table session add column identity_id integer references identity;
        alter table session add column id_token blob;
        alter table staff add column ways_postponed_at text;
        """
        + under_key_in_force("authenticator", "sealed")
        + under_key_in_force("session", "id_token")
    )
