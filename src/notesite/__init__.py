"""The machinery that turns src/ and docs/ into the site."""
