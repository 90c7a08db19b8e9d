"""How the platform describes itself to programs and to people: OpenAPI, AsyncAPI, and the page that shows them."""
