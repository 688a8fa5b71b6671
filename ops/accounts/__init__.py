"""What people do to the books: journals, wallets, holds; the laws that `check` verifies of them."""
