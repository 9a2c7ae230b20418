"""Accounts as a client holds them: a person registers and then calls with the token that came back."""

import secrets
import time

from heartguard.users.v1 import users_service_pb2

# Generous, for a debug build on a machine that does other things too; no test waits for it to pass.
PATIENCE = 30.0

# Every secret that this run was given or has made, for the test that looks for them in the logs.
issued_secrets: set[str] = set()


def new_email() -> str:
    return f"{secrets.token_hex(8)}@people.heartguard.test"


def new_password() -> str:
    password = secrets.token_urlsafe(18)
    issued_secrets.add(password)
    return password


def bearing(access_token: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {access_token}")]


class Person:
    """Somebody with an account, or an operator."""

    def __init__(self, user, tokens, password: str):
        self.user = user
        self.tokens = tokens
        self.password = password
        issued_secrets.update((tokens.access_token, tokens.refresh_token))

    @property
    def email(self) -> str:
        return self.user.email

    @property
    def metadata(self) -> list[tuple[str, str]]:
        return bearing(self.tokens.access_token)

    def calls(self, method, request, *, timeout: float = PATIENCE):
        return method(request, metadata=self.metadata, timeout=timeout)


class Lasting(Person):
    """Somebody whom the whole of a run has, which lasts longer than an access token: signed in again before it ends."""

    LIFE = 600.0

    def __init__(self, users, person: Person):
        super().__init__(person.user, person.tokens, person.password)
        self._users, self._since = users, time.monotonic()

    @property
    def metadata(self) -> list[tuple[str, str]]:
        if time.monotonic() - self._since > self.LIFE:
            self.tokens = log_in(self._users, self.email, self.password).tokens
            self._since = time.monotonic()
        return super().metadata


def register(users, name: str = "Ada Lovelace", **profile) -> Person:
    password = new_password()
    request = users_service_pb2.RegisterRequest(email=new_email(), password=password, name=name, **profile)
    answer = users.Register(request, timeout=PATIENCE)
    return Person(answer.user, answer.tokens, password)


def log_in(users, email: str, password: str) -> Person:
    answer = users.LogIn(users_service_pb2.LogInRequest(email=email, password=password), timeout=PATIENCE)
    return Person(answer.user, answer.tokens, password)
