"""Households that are equations, to compare ways to choose music with. They are no people, and prove nothing about people."""
