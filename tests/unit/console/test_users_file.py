import argon2

from anpr.console.auth.users_file import DUMMY_HASH, hash_password


def test_an_unknown_name_is_checked_against_a_hash_as_costly_as_a_users() -> None:
    real = hash_password("correct horse battery staple")
    assert argon2.extract_parameters(DUMMY_HASH) == argon2.extract_parameters(real)
