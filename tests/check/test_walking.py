"""Syntax trees are walked as `ast` walks them, in less time."""

import ast
import inspect

from watchword.check import walking


def test_a_tree_is_walked_in_the_order_of_ast_without_the_signs_that_stand_nowhere() -> None:
    tree = ast.parse(inspect.getsource(walking))
    signs = (ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop)
    assert [n for n in walking.below(tree) if not isinstance(n, signs)] == [
        n for n in ast.walk(tree) if not isinstance(n, signs)
    ]
    assert list(walking.walk(tree)) == walking.below(tree)
