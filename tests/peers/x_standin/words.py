"""The two vocabularies in which X names what it holds. An answer is in the one that its request was written in."""

from __future__ import annotations

from dataclasses import dataclass

USER_FIELDS = frozenset({
    "id", "name", "username", "created_at", "description", "entities", "location", "pinned_tweet_id",
    "profile_banner_url", "profile_image_url", "protected", "public_metrics", "url", "verified", "verified_type",
    "withheld", "confirmed_email",
})  # fmt: skip
_POST_FIELDS = frozenset({
    "id", "text", "created_at", "author_id", "conversation_id", "in_reply_to_user_id", "attachments", "lang",
    "possibly_sensitive", "reply_settings", "entities", "public_metrics",
})  # fmt: skip
MEDIA_FIELDS = frozenset(["media_key", "type", "url", "width", "height", "alt_text"])


@dataclass(frozen=True)
class Vocabulary:
    """`fields` names the parameter that asks for a post's fields; `by_expansion` are those of them that it takes and
    does not serve: they come only where `expansions` asks for them.
    """

    key: str
    fields: str
    referenced: str
    history: str
    includes: str
    reposts: str
    values: frozenset[str]
    by_expansion: frozenset[str]
    expansions: frozenset[str]
    fractions: bool  # of a second, in a moment


TWEET = Vocabulary(
    key="tweet",
    fields="tweet.fields",
    referenced="referenced_tweets",
    history="edit_history_tweet_ids",
    includes="tweets",
    reposts="retweet_count",
    values=_POST_FIELDS | {"referenced_tweets", "edit_history_tweet_ids"},
    by_expansion=frozenset(),
    expansions=frozenset({"author_id", "in_reply_to_user_id", "referenced_tweets.id", "attachments.media_keys"}),
    fractions=True,
)
POST = Vocabulary(
    key="post",
    fields="post.fields",
    referenced="referenced_posts",
    history="edit_history_post_ids",
    includes="posts",
    reposts="repost_count",
    values=_POST_FIELDS | {"referenced_posts", "edit_history_post_ids"},
    by_expansion=frozenset({"author_id", "in_reply_to_user_id", "referenced_posts"}),
    expansions=frozenset(
        {"author_id", "in_reply_to_user_id", "referenced_posts", "referenced_posts.id", "attachments.media_keys"}
    ),
    fractions=False,
)
VOCABULARIES = {"tweet": TWEET, "post": POST}
