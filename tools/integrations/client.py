"""A backend's round with the client that openapi-python-client makes: client.py URL API_KEY, with liveproof_client on the path."""

import sys
import time

from liveproof_client import AuthenticatedClient
from liveproof_client.api.sessions import create_session, list_sessions, read_result, read_session
from liveproof_client.models import Created, Creation, CreationMode, ListSessionsState, ProblemCode, Session, SessionState


def main() -> None:
    liveproof = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
    created = create_session.sync(client=liveproof, body=Creation(mode=CreationMode.ONBOARDING, external_id="python"))
    assert isinstance(created, Created), created
    session = read_session.sync(created.id, client=liveproof)
    assert isinstance(session, Session), session
    assert (session.state, session.external_id) == (SessionState.CREATED, "python")
    early = read_result.sync(created.id, client=liveproof)
    assert early.code == ProblemCode.SESSION_RUNNING, early
    deadline = time.monotonic() + 20
    while session.state == SessionState.CREATED and time.monotonic() < deadline:
        time.sleep(0.2)
        session = read_session.sync(created.id, client=liveproof)
    result = read_result.sync(created.id, client=liveproof)
    assert isinstance(result, str), result
    assert result.count(".") == 2, result
    page = list_sessions.sync(client=liveproof, external_id="python", state=ListSessionsState.EXPIRED)
    assert page.sessions[0].id == created.id, page
    print(f"Python: created, read ({session.state}, {session.verdict}), result of {len(result)} characters, listed")


if __name__ == "__main__":
    main()
