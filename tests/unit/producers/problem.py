"""What every refusal over HTTP looks like, checked once."""


def problem_of(answer, status, cause):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:dragoman:problem:{cause}"
    assert problem["status"] == status
    assert problem["cure"]
    return problem
