# Keshi · 课时: everything a person types. `make` alone lists it.

LAN ?=
HOST ?= 127.0.0.1
PORT ?= $(if $(LAN),8443,8080)
DATA ?= data/demo
ONLY ?=
WORKERS ?=
ARGS ?=

PYTHON ?= python3
SETUP := $(PYTHON) -B .ci/setup.py
BIN := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run setup test check long mutants bench lock npm install uninstall clean

help:  ## 列出命令 · list these commands
	@echo "课时 Keshi"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST)
	@echo "  HOST=$(HOST) PORT=$(PORT) DATA=$(DATA) ONLY=$(ONLY)"

run:  ## 安装并启动演示（LAN=1 供手机使用；HOST= PORT= DATA= 可改） · set up and serve the demo; LAN=1 for phones
	@$(SETUP) run
	@exec $(BIN) -B .ci/foreground.py $(BIN) -m server serve --demo --host '$(HOST)' --port '$(PORT)' --data '$(DATA)' $(if $(LAN),--lan) $(ARGS)

setup:  ## 只安装，不启动 · set up what `python -m server` needs, start nothing
	@$(SETUP) run

test:  ## 运行测试（ONLY=路径 只跑一部分） · run the tests
	@$(SETUP) test
	@$(BIN) -B .ci/tests.py test $(ONLY)

check:  ## 检查风格、类型、依赖方向、家规 · lint, types, import rules, house rules
	@$(SETUP) check
	@$(BIN) -B .ci/check.py $(ONLY)

long:  ## 全量指标的长测试 · the tests with full figures
	@$(SETUP) long
	@$(BIN) -B .ci/tests.py long $(ONLY)

mutants:  ## 逐个改动计时、学时与账本的规则，测试必须发现（ONLY=文件，WORKERS=进程数） · change each rule a little: a test must notice
	@$(SETUP) check
	@$(BIN) -B .ci/mutants.py $(if $(ONLY),'$(ONLY)') $(if $(WORKERS),--workers $(WORKERS))

bench:  ## 性能表，写入 build/bench.jsonl（ONLY=名称） · the table of measurements
	@$(SETUP) bench
	@$(BIN) -m tests.bench $(ONLY)

lock:  ## 依赖改动后重写锁文件 · write the lock files anew after a change of dependencies
	@$(SETUP) check
	@$(BIN) -B .ci/lock.py $(ARGS)

npm:  ## 在 web/ 里运行 npm（ARGS="run lint"） · npm in web/, with the right Node
	@$(SETUP) npm $(ARGS)

install:  ## 安装或升级为系统服务（root；DESTDIR= 可改） · install or upgrade as a service, as root
	@$(SETUP) run
	@$(BIN) -B deploy/install.py --root '$(or $(DESTDIR),/)'

uninstall:  ## 卸载程序，保留设置与数据（root） · remove the programs, keep settings and data
	@$(PYTHON) -B deploy/install.py --uninstall --root '$(or $(DESTDIR),/)'

clean:  ## 删除环境与构建产物，保留 data/ · remove environments and builds, keep data/
	rm -rf .venv build web/node_modules web/dist .hypothesis
	find . -name __pycache__ -not -path './data/*' -prune -exec rm -rf {} +
