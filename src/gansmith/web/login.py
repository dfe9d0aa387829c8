"""The page that asks for the token: one form, no script, no style but the browser's."""

LOGIN_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>gansmith: token</title>
<h1>gansmith</h1>
<p>This page asks for the token in the address that <code>gansmith explore</code> printed in its terminal,
<code>http://127.0.0.1:PORT/?token=...</code>. If you came by that address, reload this page.</p>
<form action="/" method="get" autocomplete="off">
<label>Token <input type="password" name="token" required></label>
<button>Open</button>
</form>
</html>
"""
