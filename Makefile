# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# The environment of every recipe is set here and nowhere else; the scripts below lab/ and tests/run/ rely on it, so start
# them through make.
#
# The checkout is not below a directory named ansible_collections, but Ansible, Python and the linters must find it under
# its name failover.vip. So `make link` lays .ansible/collections/ansible_collections/failover/vip -> the checkout:
#   ansible-playbook, ansible-doc   by ANSIBLE_COLLECTIONS_PATH (below), or by ansible.cfg when run by hand from here
#   pytest, mypy                    by pythonpath and mypy_path in pyproject.toml
#   ansible-lint                    knows .ansible/collections by itself
#   molecule                        by ANSIBLE_COLLECTIONS_PATH (below), or by .config/molecule/config.yml
#   ansible-test                    cannot work through a link: tests/run/ansible_test.sh copies the tree
# The link belongs to the checkout, not to the virtual environment, so that clones can share one.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/failover.vip
VENV ?= $(CACHE)/venv
ONLY ?=

export VENV := $(abspath $(VENV))
export CACHE
export PATH := $(VENV)/bin:$(PATH)
export LC_ALL := C.UTF-8
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.ansible/collections
# what `make test` counts: JUnit files and lists of "passed NAME" and "failed NAME"
export RESULTS := $(CURDIR)/tests/output/results

LINK := .ansible/collections/ansible_collections/failover/vip

##@ See it work
.PHONY: demo lab clean
demo: venv system-packages ## the reference cluster in containers, and a failover with its time; leaves the lab up
	@./lab/demo.sh
lab: venv system-packages ## the containers only, for ansible-playbook -i inventories/lab site.yml
	@./lab/lab.sh up
clean: venv ## removes the lab
	@./lab/lab.sh down

##@ Test
.PHONY: test lint sanity unit install oracle short-soak molecule
test: venv system-packages ## everything below, and the count of tests at the end
	@tests/run/all.sh
lint: venv ## ansible-lint, yamllint, ruff, mypy, shellcheck, changelog and documentation (one: make lint ONLY=mypy)
	@tests/run/lint.sh $(ONLY)
sanity: venv ## ansible-test sanity and units (one: make sanity ONLY=validate-modules)
	@tests/run/ansible_test.sh $(ONLY)
unit: venv ## pytest tests/unit (some: make unit ONLY='-k plan')
	@echo "== unit"
	@mkdir -p "$(RESULTS)"
	@python -m pytest -n 2 --junitxml="$(RESULTS)/unit.xml" $(ONLY)
install: venv ## the collection built, installed elsewhere and used from there (one: make install ONLY=site)
	@tests/run/install_test.sh $(ONLY)
oracle: venv system-packages ## our reader and rules against the real keepalived of both Debians
	@tests/run/oracle.sh $(ONLY)
short-soak: venv system-packages ## a minute of make soak
	@tests/run/short_soak.sh
molecule: venv system-packages ## the scenarios in containers (one: make molecule ONLY=default)
	@tests/run/molecule.sh $(ONLY)

##@ Measure
.PHONY: bench soak
bench: venv ## time and memory of reader and rules on large clusters
	@python benchmarks/bench.py
soak: venv system-packages ## false failovers and crashes of each timer preset, on loaded cores and with lost packets
	@python benchmarks/soak.py

##@ Prepare and tidy
.PHONY: venv link system-packages format docs distclean help
venv: link ## Python tools, in $XDG_CACHE_HOME/failover.vip/venv (other place: VENV=…; other Python: PYTHON=…)
	@tests/run/venv.sh
link: ## lets Ansible find this checkout as failover.vip
	@mkdir -p $(dir $(LINK))
	@ln -sfn ../../../.. $(LINK)
system-packages: ## podman and what else the lab needs, by apt
	@tests/run/system_packages.sh
format: venv ## ruff's format and fixes, which rewrite files (some: make format ONLY=tests/run)
	@ruff format $(or $(ONLY),.)
	@ruff check --fix $(or $(ONLY),.)
docs: venv ## writes docs/rules.md anew from the rules
	@python tests/run/rules_page.py
distclean: clean ## clean, and everything that was made in the checkout and in the cache
	rm -rf .ansible .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/output
	find . -name .git -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
	rm -rf "$(CACHE)"
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
	    /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile
