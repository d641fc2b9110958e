"""Alerts: tells an owner that a device needs somebody, once, and that it is well again."""
