"""Which cases of bindings/conformance.md a test shows."""


def shows(*cases):
    """Marks a test with the numbers of its cases; __main__.py tells them when it has passed."""

    def mark(test):
        test.cases = cases
        return test

    return mark
