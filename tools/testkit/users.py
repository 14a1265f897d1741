"""Users beside the API: their ids, and the reset tokens that nobody mails yet."""
import os

from testkit.client import wait_until


def id_of(stack, email):
    return stack.sql("users", f"SELECT user_id FROM users.users WHERE email = '{email}'")[0][0]


def reset_token(stack, email):
    """The reset token that was made last for this address."""
    path = os.path.join(stack.state.path, "user-resets", id_of(stack, email))
    wait_until(lambda: os.path.exists(path), 10, "the reset token")
    assert os.stat(path).st_mode & 0o777 == 0o600
    with open(path, encoding="ascii") as file:
        return file.read().strip()
