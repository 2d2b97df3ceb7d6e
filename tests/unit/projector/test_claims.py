from loopwright.projector.claims import Claims


def test_stage_1_claims_what_it_has_read() -> None:
    assert Claims().claim("users", 100, 110) == 100


def test_stage_2_claims_nothing_while_stage_1_has_claimed_nothing() -> None:
    claims = Claims()
    assert claims.claim("items", 100, 110) is None
    assert claims.claim("items", 200, 210) is None


def test_stage_2_claims_what_stage_1_had_before_it_found_nothing_more() -> None:
    claims = Claims()
    claims.claim("users", 100, 110)
    assert claims.claim("items", 120, 125) is None  # hears of it only now
    claims.claim("users", 200, 210)
    assert claims.claim("items", 130, 135) == 100
    assert claims.claim("items", 209, 212) is None  # looked before stage 1 had said so
    assert claims.claim("items", 210, 215) == 200


def test_a_stage_that_begins_anew_takes_its_claim_back() -> None:
    claims = Claims()
    claims.claim("users", 100, 110)
    claims.claim("items", 120, 125)
    claims.begin("items")
    claims.begin("users")
    assert claims.claim("items", 130, 135) is None
    assert claims.claim("items", 140, 145) is None
