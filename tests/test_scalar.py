from tests.core_support import X
def test_x():
    assert X
