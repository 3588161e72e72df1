.PHONY: style quality test

style:
	ruff format .
	ruff check --fix .

quality:
	ruff format --check .
	ruff check .
	mypy

test:
	pytest
