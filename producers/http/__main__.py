"""`python -m producers.http`."""

from producers.http.main import main

if __name__ == "__main__":
    main()
