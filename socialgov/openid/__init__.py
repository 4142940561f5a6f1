"""The client of the school's sign-in service: OpenID Connect Core 1.0, authorization code with PKCE, by Authlib.

`refusals` names every way a sign-in can fail; `wire` is HTTP, bounded in time and size; `provider` knows the service's
addresses and keys; `exchange` sends people there and checks what comes back; `claims` is pure: who the checked
answer says somebody is. Nothing here knows the school's staff or its database. Authlib is imported when first used.
"""
