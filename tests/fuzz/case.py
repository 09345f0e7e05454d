"""One public call as the fuzz test sees it: what is right for each argument, what may be wrong."""

import dataclasses
from collections.abc import Callable

from tests.fuzz.wrong_values import WRONG, WRONG_OR_HUGE


@dataclasses.dataclass(frozen=True)
class Case:
    """A call and its arguments.

    Attributes:
        call: function of the arguments by name.
        right: dict of argument to strategy of values with which the call works.
        fixed: names of arguments that stay right.
        sizes: names of arguments that decide how much memory is taken, and are never huge.
        wrong: dict of argument to strategy of values to try, where not everything is sensible.
        paths: names of arguments for which an OSError is a fair answer as well.
        called: dict of argument to what messages call it, where they do otherwise.
    """

    call: Callable
    right: dict
    fixed: tuple = ()
    sizes: tuple = ()
    wrong: dict = dataclasses.field(default_factory=dict)
    paths: tuple = ()
    called: dict = dataclasses.field(default_factory=dict)

    def wrong_values(self, name):
        """Strategy of values to try in place of the right ones."""
        return self.wrong.get(name, WRONG if name in self.sizes else WRONG_OR_HUGE)

    def check(self, data):
        """Calls once with values from `data`, of `hypothesis.strategies.data()`.

        With right values alone the call must work. Otherwise it may work, or raise a ValueError or
        TypeError that names one of the wrong arguments in backquotes, or an OSError for a path.
        """
        import hypothesis.strategies as st

        names = [name for name in self.right if name not in self.fixed]
        wrong = data.draw(st.sets(st.sampled_from(names), max_size=2) if names else st.just(set()))
        arguments = {
            name: data.draw(self.wrong_values(name) if name in wrong else right, label=name)
            for name, right in self.right.items()
        }
        try:
            self.call(**arguments)
        except (ValueError, TypeError) as error:
            named = [f"`{self.called.get(name, name)}" for name in wrong]
            assert any(name in str(error) for name in named), f"names none of {named}: {error!r}"
        except OSError:
            assert wrong & set(self.paths), "an OSError though no path was wrong"
