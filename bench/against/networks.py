"""The networks of bench/workloads.def in PyTorch, from the published forms: the same layers and sizes as in src/zoo/."""
import torch
import torch.nn as nn
import torch.nn.functional as F

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def conv_norm(inputs, outputs, size, stride=1, groups=1, act=nn.ReLU, eps=1e-5):
    layers = [nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
              nn.BatchNorm2d(outputs, eps=eps)]
    return nn.Sequential(*layers, *([act(inplace=True)] if act else []))


def conv_relu(inputs, outputs, size, stride=1, padding=0):
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, stride, padding), nn.ReLU(inplace=True))


def line(text):
    """784-64-relu-10"""
    layers, last = [], None
    for word in text.split("-"):
        if word in ACTIVATIONS:
            layers.append(ACTIVATIONS[word]())
        else:
            if last is not None:
                layers.append(nn.Linear(last, int(word)))
            last = int(word)
    return nn.Sequential(*layers)


class LeCun1989(nn.Module):
    """A bias for each unit; each third of the second layer's maps sees another eight of the twelve before."""

    def __init__(self, outputs):
        super().__init__()
        self.w1 = nn.Parameter(torch.randn(12, 1, 5, 5) * 0.2)
        self.b1 = nn.Parameter(torch.zeros(12, 8, 8))
        self.w2 = nn.Parameter(torch.randn(12, 8, 5, 5) * 0.07)
        self.b2 = nn.Parameter(torch.zeros(12, 4, 4))
        self.h3, self.out = nn.Linear(192, 30), nn.Linear(30, outputs)

    def forward(self, x):
        h = torch.tanh(F.conv2d(F.pad(x, (2, 2, 2, 2), value=-1.0), self.w1, stride=2) + self.b1)
        h = torch.cat((h[:, :8], h[:, 4:], h[:, 8:], h[:, :4]), 1)
        h = torch.tanh(F.conv2d(F.pad(h, (2, 2, 2, 2), value=-1.0), self.w2, stride=2, groups=3) + self.b2)
        return 0.5 * torch.tanh(self.out(torch.tanh(self.h3(h.flatten(1))))) + 0.5


def lenet5(outputs):
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, outputs))


def cnn_small(outputs):
    return nn.Sequential(
        conv_relu(1, 32, 3, padding=1), conv_relu(32, 32, 3, padding=1), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(32 * 14 * 14, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, outputs))


class Residual(nn.Module):
    """Two or three convolutions beside a shortcut; `plain`: the one of zeros and every second pixel."""

    def __init__(self, inputs, channels, stride, bottleneck=False, plain=False):
        super().__init__()
        wide = 4 * channels if bottleneck else channels
        if bottleneck:
            self.body = nn.Sequential(conv_norm(inputs, channels, 1), conv_norm(channels, channels, 3, stride),
                                      conv_norm(channels, wide, 1, act=None))
        else:
            self.body = nn.Sequential(conv_norm(inputs, channels, 3, stride), conv_norm(channels, channels, 3, act=None))
        self.more = wide - inputs if plain else 0
        changes = stride > 1 or inputs != wide
        self.shortcut = conv_norm(inputs, wide, 1, stride, act=None) if changes and not plain else None

    def forward(self, x):
        y = self.body(x)
        if self.shortcut is not None:
            x = self.shortcut(x)
        elif self.more > 0:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))
        return F.relu(x + y, inplace=True)


def resnet_cifar(outputs, depth):
    layers, inputs = [conv_norm(3, 16, 3)], 16
    for channels in (16, 32, 64):
        for i in range((depth - 2) // 6):
            layers.append(Residual(inputs, channels, 2 if channels > 16 and i == 0 else 1, plain=True))
            inputs = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, outputs))


def resnet(outputs, blocks, bottleneck):
    layers, inputs = [conv_norm(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for stage, repeat in enumerate(blocks):
        for i in range(repeat):
            channels = 64 << stage
            layers.append(Residual(inputs, channels, 2 if stage > 0 and i == 0 else 1, bottleneck))
            inputs = 4 * channels if bottleneck else channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, outputs))


def alexnet(outputs):
    return nn.Sequential(
        conv_relu(3, 64, 11, 4, 2), nn.MaxPool2d(3, 2), conv_relu(64, 192, 5, 1, 2), nn.MaxPool2d(3, 2),
        conv_relu(192, 384, 3, 1, 1), conv_relu(384, 256, 3, 1, 1), conv_relu(256, 256, 3, 1, 1), nn.MaxPool2d(3, 2),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(9216, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
        nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Linear(4096, outputs))


def vgg(outputs, convolutions):
    layers, inputs = [], 3
    for stage, repeat in enumerate(convolutions):
        for _ in range(repeat):
            channels = min(64 << stage, 512)
            layers.append(conv_relu(inputs, channels, 3, padding=1))
            inputs = channels
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(512 * 49, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
        nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(4096, outputs))


class SideBySide(nn.Module):
    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


def googlenet(outputs):
    def conv(inputs, outputs, size, stride=1):
        return conv_norm(inputs, outputs, size, stride, eps=1e-3)

    layers = [conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, ceil_mode=True), conv(64, 64, 1), conv(64, 192, 3),
              nn.MaxPool2d(3, 2, ceil_mode=True)]
    inputs = 192
    for number, (c1, c3_in, c3, c5_in, c5, pool) in enumerate((
            (64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), (192, 96, 208, 16, 48, 64),
            (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64),
            (256, 160, 320, 32, 128, 128), (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128))):
        layers.append(SideBySide(
            conv(inputs, c1, 1), nn.Sequential(conv(inputs, c3_in, 1), conv(c3_in, c3, 3)),
            nn.Sequential(conv(inputs, c5_in, 1), conv(c5_in, c5, 3)),
            nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), conv(inputs, pool, 1))))
        inputs = c1 + c3 + c5 + pool
        if number == 1:
            layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
        if number == 6:
            layers.append(nn.MaxPool2d(2, 2, ceil_mode=True))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1024, outputs))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, stride, expand):
        super().__init__()
        wide = inputs * expand
        first = [conv_norm(inputs, wide, 1, act=nn.ReLU6)] if expand > 1 else []
        self.body = nn.Sequential(*first, conv_norm(wide, wide, 3, stride, groups=wide, act=nn.ReLU6),
                                  conv_norm(wide, outputs, 1, act=None))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.body(x) if self.adds else self.body(x)


def mobilenet_v2(outputs):
    layers, inputs = [conv_norm(3, 32, 3, 2, act=nn.ReLU6)], 32
    for expand, repeat, stride, channels in ((1, 1, 1, 16), (6, 2, 2, 24), (6, 3, 2, 32), (6, 4, 2, 64), (6, 3, 1, 96),
                                             (6, 3, 2, 160), (6, 1, 1, 320)):
        for i in range(repeat):
            layers.append(InvertedResidual(inputs, channels, stride if i == 0 else 1, expand))
            inputs = channels
    return nn.Sequential(*layers, conv_norm(320, 1280, 1, act=nn.ReLU6), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Dropout(0.2), nn.Linear(1280, outputs))


def squeezenet1_1(outputs):
    layers, inputs = [conv_relu(3, 64, 3, 2), nn.MaxPool2d(3, 2, ceil_mode=True)], 64
    for squeeze in (16, 16, 0, 32, 32, 0, 48, 48, 64, 64):
        if squeeze == 0:
            layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
            continue
        layers += [conv_relu(inputs, squeeze, 1),
                   SideBySide(conv_relu(squeeze, 4 * squeeze, 1), conv_relu(squeeze, 4 * squeeze, 3, padding=1))]
        inputs = 8 * squeeze
    return nn.Sequential(*layers, nn.Dropout(0.5), conv_relu(512, outputs, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())


class CharLstm(nn.Module):
    def __init__(self, outputs, hidden_size=512, num_layers=2, embedding=128, dropout=0.5):
        super().__init__()
        self.encoder = nn.Embedding(outputs, embedding)
        self.drop = nn.Dropout(dropout) if dropout > 0 else nn.Identity()
        self.rnn = nn.LSTM(embedding, hidden_size, num_layers, batch_first=True, dropout=dropout)
        self.decoder = nn.Linear(hidden_size, outputs)

    def forward(self, x):
        return self.decoder(self.drop(self.rnn(self.drop(self.encoder(x)))[0])).flatten(0, 1)


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.c_attn = nn.Linear(width, 3 * width, bias=False)
        self.c_proj = nn.Linear(width, width, bias=False)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width, bias=False), nn.GELU(),
                                 nn.Linear(4 * width, width, bias=False))

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (part.view(b, t, self.heads, c // self.heads).transpose(1, 2)
                   for part in self.c_attn(self.ln_1(x)).split(c, 2))
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.c_proj(attended.transpose(1, 2).reshape(b, t, c))
        return x + self.mlp(self.ln_2(x))


class Gpt(nn.Module):
    """nanoGPT: no biases, the last layer is the table of the tokens."""

    def __init__(self, outputs, n_layer=4, n_head=4, n_embd=128, n_positions=64):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(outputs, n_embd), nn.Embedding(n_positions, n_embd)
        nn.init.normal_(self.wte.weight, std=0.02)
        nn.init.normal_(self.wpe.weight, std=0.02)
        self.h = nn.Sequential(*(Block(n_embd, n_head) for _ in range(n_layer)))
        self.ln_f = nn.LayerNorm(n_embd, bias=False)
        self.register_buffer("places", torch.arange(n_positions), persistent=False)

    def forward(self, x):
        h = self.wte(x) + self.wpe(self.places[: x.shape[1]])
        return F.linear(self.ln_f(self.h(h)), self.wte.weight).flatten(0, 1)


ZOO = {
    "lecun-1989": LeCun1989,
    "lenet5": lenet5,
    "cnn-small": cnn_small,
    "resnet20": lambda outputs: resnet_cifar(outputs, 20),
    "resnet56": lambda outputs: resnet_cifar(outputs, 56),
    "alexnet": alexnet,
    "vgg11": lambda outputs: vgg(outputs, (1, 1, 2, 2, 2)),
    "vgg16": lambda outputs: vgg(outputs, (2, 2, 3, 3, 3)),
    "googlenet": googlenet,
    "resnet18": lambda outputs: resnet(outputs, (2, 2, 2, 2), False),
    "resnet34": lambda outputs: resnet(outputs, (3, 4, 6, 3), False),
    "resnet50": lambda outputs: resnet(outputs, (3, 4, 6, 3), True),
    "mobilenet_v2": mobilenet_v2,
    "squeezenet1_1": squeezenet1_1,
    "char-lstm": CharLstm,
    "gpt-nano": Gpt,
}


def build(workload):
    if workload.network[0].isdigit():
        return line(workload.network)
    return ZOO[workload.network](workload.outputs, **workload.options)
