"""Catalogues of messages: gettext."""
