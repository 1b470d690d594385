"""One workload in one mode of PyTorch, in a process of its own: says that it is ready, then times a round for each line
that it reads. It writes one JSON object a line."""
import contextlib
import json
import os
import resource
import sys
import tempfile
import time


def memory(key):
    """VmRSS or VmHWM (the most so far) of this process, in bytes."""
    try:
        with open("/proc/self/status", encoding="ascii") as lines:
            return next(1024 * int(line.split()[1]) for line in lines if line.startswith(key))
    except (OSError, StopIteration):  # no such files: the most so far is all that is known
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def forget_peak():
    """What importing took at its height does not count."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def data(torch, w):
    if w.tokens:
        x = torch.randint(0, w.outputs, (w.batch, *w.sample))
        return x, torch.randint(0, w.outputs, (x.numel(),))
    x = torch.randn(w.batch, *w.sample)
    return x, torch.randn(w.batch, w.outputs) if w.loss == "mse" else torch.randint(0, w.outputs, (w.batch,))


def training(torch, w, model, mode, x, y):
    loss_of = torch.nn.functional.mse_loss if w.loss == "mse" else torch.nn.functional.cross_entropy
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[w.optimizer]
    more = {"momentum": w.momentum} if w.optimizer == "sgd" else {}
    optimizer = kind(model.parameters(), lr=w.rate, fused=True, **more)
    if "compile" in mode:
        model = torch.compile(model)

    def forward():
        return loss_of(model(x), y)

    def forward_bf16():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return forward()

    loss = forward_bf16 if "bf16" in mode else forward

    def step():
        value = loss()
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()

    return step


def inference(torch, model, mode, x):
    if "onnxruntime" in mode:
        return onnxruntime_session(torch, model, x)
    if "compile" in mode:
        import torch._inductor.config as inductor
        inductor.freezing = True  # weights are constants: norms are folded, weights packed once
        model = torch.compile(model)

    def forward():
        with torch.no_grad():
            return model(x)

    def forward_bf16():
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            return model(x)

    return forward_bf16 if "bf16" in mode else forward


def onnxruntime_session(torch, model, x):
    import onnxruntime
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        with contextlib.redirect_stdout(sys.stderr):
            torch.onnx.export(model, (x,), path, dynamo=True, verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    given = {session.get_inputs()[0].name: x.numpy()}
    return lambda: session.run(None, given)


def time_round(step, seconds):
    """Median of the steps of so many seconds, at least three."""
    times, end = [], time.perf_counter() + seconds
    step()  # another process ran before: caches are cold
    while len(times) < 3 or (time.perf_counter() < end and len(times) < 200000):
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    times.sort()
    return 1e3 * times[len(times) // 2]


def say(**what):
    print(json.dumps(what), flush=True)


def work(w, mode, threads, seconds):
    import torch
    torch.set_flush_denormal(True)
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import networks
    forget_peak()
    imported = memory("VmRSS")
    model = networks.build(w).train(w.trains)
    x, y = data(torch, w)
    parameters = sum(p.numel() for p in model.parameters())
    if "channels_last" in mode:
        model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    begin = time.perf_counter()
    step = training(torch, w, model, mode, x, y) if w.trains else inference(torch, model, mode, x)
    step()
    first = time.perf_counter() - begin
    for _ in range(2):
        step()
    say(params=parameters, first_s=first, torch=torch.__version__, threads=torch.get_num_threads())
    for _ in sys.stdin:
        ms = time_round(step, seconds)
        say(ms=ms, peak_bytes=max(memory("VmHWM") - imported, 0))
