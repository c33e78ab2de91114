"""Tiny Hugging Face detectors with random weights, and their ONNX exports, for teacher_fixtures.py."""

import json
from pathlib import Path

import onnx
import onnxruntime
import torch
import transformers
from transformers.models.grounding_dino import modeling_grounding_dino
from transformers.models.mm_grounding_dino import modeling_mm_grounding_dino

PERSON_WORDS = "person dog cat red blue ball big small a the two on table car tree".split()
BERT_VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", ",", "-", "##s", "##y", *PERSON_WORDS]
SIDE = 64
LONG_SIDE = 96


def randomise(model: torch.nn.Module, seed: int, gain: float = 1.0) -> torch.nn.Module:
    """Weights so large that answers depend on the picture and the words; the library's own are near to zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() > 1:
                fan = parameter[0].numel() if "embed" not in name or parameter.dim() > 2 else 4
                # Else a box is a corner of the picture whatever is in it.
                small = 0.3 if "bbox" in name else 1.0
                parameter.copy_(gain * small * noise / fan**0.5)
            elif "bias" in name:
                parameter.copy_(0.1 * noise)
            else:
                parameter.copy_(1 + 0.1 * noise)
            # Half of the bits are zero, so that fixtures pack well.
            parameter.copy_(parameter.bfloat16().float())
    return model.eval()


class Outputs(torch.nn.Module):
    """A model whose results are a tuple in the order of `names`, as an exporter wants them."""

    def __init__(self, model, inputs, names):
        super().__init__()
        self.model, self.inputs, self.names = model, inputs, names

    def forward(self, *values):
        outputs = self.model(**dict(zip(self.inputs, values)))
        return tuple(getattr(outputs, name) for name in self.names)


def export(model, example: dict, names, path: Path, dynamic: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        Outputs(model, list(example), names).eval(),
        tuple(example.values()),
        str(path),
        input_names=list(example),
        output_names=list(names),
        dynamic_axes=dynamic,
        opset_version=17,
        dynamo=False,
    )
    shrink(path)


def shrink(path: Path) -> None:
    """Folds constants, and takes away names: most of a tiny network's file is text otherwise."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    model = onnx.load(str(path))
    kept = {value.name for value in (*model.graph.input, *model.graph.output)} | {""}
    short: dict[str, str] = {}
    rename = lambda name: name if name in kept else short.setdefault(name, f"v{len(short)}")

    def rename_all(graph, is_inner):
        for tensor in graph.initializer:
            tensor.name = rename(tensor.name)
            tensor.doc_string = ""
        for value in (*graph.input, *graph.output) if is_inner else ():
            value.name = rename(value.name)
        for node in graph.node:
            node.name = node.doc_string = ""
            del node.metadata_props[:]
            for names in (node.input, node.output):
                renamed = [rename(name) for name in names]
                del names[:]
                names.extend(renamed)
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.GRAPH:
                    rename_all(attribute.g, True)
        del graph.value_info[:]

    rename_all(model.graph, False)
    del model.metadata_props[:]
    onnx.save(model, str(path))


def share_weights(paths, name: str) -> None:
    """Moves the weights of several models of one folder into one file beside them, each array once."""
    data = bytearray()
    places: dict[bytes, int] = {}
    for path in paths:
        model = onnx.load(str(path))
        for tensor in model.graph.initializer:
            if len(tensor.raw_data) < 128:
                continue
            raw = tensor.raw_data
            if raw not in places:
                places[raw] = len(data)
                data += raw
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            for key, value in (("location", name), ("offset", places[raw]), ("length", len(raw))):
                tensor.external_data.add(key=key, value=str(value))
        path.write_bytes(model.SerializeToString())
    (paths[0].parent / name).write_bytes(bytes(data))


def separator_masks(ids, separators):
    """The library's block masks and position ids, in operators that the exporter has."""
    length = ids.shape[1]
    separator = (ids[..., None] == separators).any(-1)
    order = torch.arange(length)
    before = order[None, :] < order[:, None]
    last = torch.where(separator[:, None, :] & before, order, torch.full_like(order, -1)).amax(-1)
    block = separator.long().cumsum(1) - separator.long()
    first_closes = separator[:, :1].long()
    closed_before_end = separator[:, :-1].long().sum(1, keepdim=True)
    # The block that the first token closes does not count, nor what the last token closes or nothing does.
    counts = (block >= first_closes) & (block < closed_before_end)
    same = (block[:, :, None] == block[:, None, :]) & counts[:, None, :]
    mask = (order[None, :] == order[:, None])[None] | same
    positions = torch.where(counts, order - last - 1, torch.zeros_like(last))
    return mask, positions.clamp(min=0)


def one_phrase_masks(ids, separators):
    """
    The same as older versions of the library made it: a loop over the separators. An exporter freezes their count, and
    that the first and the last of them close nothing.
    """
    length = ids.shape[1]
    places = torch.nonzero((ids[..., None] == separators).any(-1))[:, 1]
    order = torch.arange(length)
    mask = order[None, :] == order[:, None]
    positions = torch.zeros_like(order)
    previous = places[0] * 0
    for index in range(int(places.shape[0])):
        place = places[index]
        if int(place) not in (0, int(length) - 1):
            inside = (order > previous) & (order <= place)
            mask = mask | (inside[:, None] & inside[None, :])
            positions = torch.where(inside, order - previous - 1, positions)
        previous = place
    return mask[None], positions[None]


def tiny_grounding_dino(kind: str = "grounding-dino"):
    """Grounding DINO, or MM Grounding DINO, whose heads have a bias and, after each layer of the decoder, weights of their own."""
    is_mm = kind == "mm-grounding-dino"
    config_class = transformers.MMGroundingDinoConfig if is_mm else transformers.GroundingDinoConfig
    model_class = transformers.MMGroundingDinoForObjectDetection if is_mm else transformers.GroundingDinoForObjectDetection
    config = config_class(
        # Not the Swin of the published models: tracing freezes its windows to the size of the example.
        backbone_config=transformers.ResNetConfig(
            embedding_size=8,
            hidden_sizes=[8, 8, 16, 16],
            depths=[1, 1, 1, 1],
            layer_type="basic",
            out_features=["stage2", "stage3", "stage4"],
        ),
        text_config=transformers.BertConfig(
            vocab_size=len(BERT_VOCABULARY),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=32,
        ),
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        num_queries=12,
        max_text_len=32,
        num_feature_levels=3,
        encoder_n_points=2,
        decoder_n_points=2,
    )
    model = randomise(model_class(config), 1)
    model.model.special_tokens = separators()
    return model


def separators() -> torch.Tensor:
    """What ends a phrase, in the small vocabulary; the library's own are those of BERT's."""
    return torch.tensor([BERT_VOCABULARY.index(token) for token in ("[CLS]", "[SEP]", ".", "?")])


def export_grounding_dino(model, path: Path, masks, side: int = LONG_SIDE, ids: torch.Tensor | None = None) -> None:
    """@param ids of a prompt of one phrase; of the small vocabulary where not given"""
    if ids is None:
        ids = torch.tensor([[BERT_VOCABULARY.index(token) for token in ("[CLS]", "a", "dog", ".", "[SEP]")]])
    example = {
        "pixel_values": torch.randn(1, 3, side, side),
        "input_ids": ids,
        "token_type_ids": torch.zeros_like(ids),
        "attention_mask": torch.ones_like(ids),
        "pixel_mask": torch.ones(1, side, side, dtype=torch.long),
    }
    is_mm = model.config.model_type == "mm-grounding-dino"
    modeling = modeling_mm_grounding_dino if is_mm else modeling_grounding_dino
    original = modeling.generate_masks_with_special_tokens_and_transfer_map
    theirs = original(torch.tensor([[2, 11, 5, 12, 13, 5, 3]]), separators())
    ours = separator_masks(torch.tensor([[2, 11, 5, 12, 13, 5, 3]]), separators())
    assert all(torch.equal(a, b) for a, b in zip(theirs, ours)), (theirs, ours)
    modeling.generate_masks_with_special_tokens_and_transfer_map = lambda input_ids, special_tokens: masks(input_ids, special_tokens)
    length = {1: "length"}
    export(
        model,
        example,
        ("logits", "pred_boxes"),
        path,
        {
            "pixel_values": {2: "height", 3: "width"},
            "pixel_mask": {1: "height", 2: "width"},
            **{name: length for name in ("input_ids", "token_type_ids", "attention_mask")},
        },
    )
    modeling.generate_masks_with_special_tokens_and_transfer_map = original
    declare_size(path, example)


def declare_size(path: Path, example: dict) -> None:
    """Tracing freezes the sizes of the feature maps: the graph is for one size, and says so, as published exports do."""
    graph = onnx.load(str(path))
    for value in graph.graph.input:
        if value.name.startswith("pixel"):
            for dimension, size in zip(value.type.tensor_type.shape.dim, example[value.name].shape):
                dimension.dim_value = size
    onnx.save(graph, str(path))


def tiny_owl(kind: str, vocabulary: int):
    config_class = transformers.OwlViTConfig if kind == "owlvit" else transformers.Owlv2Config
    model_class = transformers.OwlViTForObjectDetection if kind == "owlvit" else transformers.Owlv2ForObjectDetection
    text = {"vocab_size": vocabulary, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = config_class(
        text_config={**text, "max_position_embeddings": 16, "bos_token_id": vocabulary - 2, "eos_token_id": vocabulary - 1},
        vision_config={**vision, "image_size": SIDE, "patch_size": 16},
        projection_dim=16,
    )
    return randomise(model_class(config), 2)


class OwlText(torch.nn.Module):
    """The text half of an OWL detector: queries to the embeddings that its class head takes."""

    def __init__(self, model):
        super().__init__()
        self.owl = getattr(model, "owlvit", None) or model.owlv2

    def forward(self, input_ids, attention_mask):
        pooled = self.owl.text_model(input_ids=input_ids, attention_mask=attention_mask).pooler_output
        embeddings = self.owl.text_projection(pooled)
        return embeddings / embeddings.norm(p=2, dim=-1, keepdim=True)


class OwlVision(torch.nn.Module):
    """The rest: a picture and embeddings of queries [Q, D] to logits [1, B, Q] and boxes [1, B, 4]."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values, text_embeds):
        feature_map, _ = self.model.image_embedder(pixel_values=pixel_values)[:2]
        batch, height, width, depth = feature_map.shape
        features = feature_map.reshape(batch, height * width, depth)
        logits, _ = self.model.class_predictor(features, text_embeds[None])
        return logits, self.model.box_predictor(features, feature_map)


def export_owl(model, folder: Path, split: bool) -> None:
    ids = torch.tensor([[3, 4, 5] + [0] * 13, [3, 6, 5] + [0] * 13])
    side, width = model.config.vision_config.image_size, model.config.projection_dim
    pixels = torch.randn(1, 3, side, side)
    rows = {0: "queries"}
    if not split:
        example = {"input_ids": ids, "pixel_values": pixels, "attention_mask": (ids > 0).long()}
        export(
            model,
            example,
            ("logits", "pred_boxes"),
            folder / "onnx/model.onnx",
            {"input_ids": rows, "attention_mask": rows, "logits": {2: "queries"}},
        )
        return
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    common = {"opset_version": 17, "dynamo": False}
    torch.onnx.export(
        OwlText(model).eval(),
        (ids, (ids > 0).long()),
        str(folder / "onnx/text_model.onnx"),
        input_names=["input_ids", "attention_mask"],
        output_names=["text_embeds"],
        dynamic_axes={"input_ids": rows, "attention_mask": rows, "text_embeds": rows},
        **common,
    )
    torch.onnx.export(
        OwlVision(model).eval(),
        (pixels, torch.randn(2, width)),
        str(folder / "onnx/vision_model.onnx"),
        input_names=["pixel_values", "text_embeds"],
        output_names=["logits", "pred_boxes"],
        dynamic_axes={"text_embeds": rows, "logits": {2: "queries"}},
        **common,
    )
    for name in ("text_model", "vision_model"):
        shrink(folder / f"onnx/{name}.onnx")


def tiny_omdet(vocabulary: int):
    config = transformers.OmDetTurboConfig(
        backbone_config=transformers.ResNetConfig(
            embedding_size=8,
            hidden_sizes=[8, 8, 16, 16],
            depths=[1, 1, 1, 1],
            layer_type="basic",
            out_features=["stage2", "stage3", "stage4"],
        ),
        # The norms behind a Swin, whose channels come last.
        apply_layernorm_after_vision_backbone=False,
        text_config=transformers.CLIPTextConfig(
            vocab_size=vocabulary,
            hidden_size=24,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=77,
            bos_token_id=vocabulary - 2,
            eos_token_id=vocabulary - 1,
        ),
        image_size=SIDE,
        text_projection_in_dim=24,
        text_projection_out_dim=24,
        class_embed_dim=24,
        task_encoder_hidden_dim=16,
        encoder_hidden_dim=16,
        encoder_in_channels=[8, 16, 16],
        encoder_attention_heads=2,
        encoder_dim_feedforward=16,
        vision_features_channels=[16, 16, 16],
        decoder_hidden_dim=16,
        decoder_num_heads=2,
        decoder_num_layers=2,
        decoder_dim_feedforward=16,
        decoder_num_points=2,
        num_queries=10,
    )
    return randomise(transformers.OmDetTurboForObjectDetection(config), 5, gain=1.5)


class OmDet(torch.nn.Module):
    """One picture of OmDet-Turbo, without the library's caches of words, which a trace cannot hold."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values, classes_input_ids, tasks_input_ids, tasks_attention_mask):
        words = self.model.language_backbone
        classes = words(classes_input_ids, encode_type="class")[:, None]
        # The library cuts the task where its mask ends; the decoder does not look behind that.
        task = words.model(tasks_input_ids)[0].transpose(0, 1)
        features = self.model.encoder(self.model.vision_backbone(pixel_values), return_dict=True).extracted_states
        answer = self.model.decoder(features, classes, task, tasks_attention_mask, return_dict=True)
        return answer.decoder_coords[-1], answer.decoder_classes[-1]


def export_omdet(model, path: Path, side: int = SIDE) -> None:
    ids = torch.tensor([[3, 4, 5] + [0] * 74, [3, 6, 5] + [0] * 74])
    example = {
        "pixel_values": torch.randn(1, 3, side, side),
        "classes_input_ids": ids,
        "tasks_input_ids": ids[:1],
        "tasks_attention_mask": (ids[:1] > 0).long(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        OmDet(model).eval(),
        tuple(example.values()),
        str(path),
        input_names=list(example),
        output_names=["decoder_coord_logits", "decoder_class_logits"],
        dynamic_axes={"classes_input_ids": {0: "classes"}, "decoder_class_logits": {2: "classes"}},
        opset_version=17,
        dynamo=False,
    )
    shrink(path)


SAM_SIDE = 56


def tiny_sam3(vocabulary: int):
    small = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
    vision = {"num_hidden_layers": 2, "image_size": SAM_SIDE, "patch_size": 14, "window_size": 2, "global_attn_indexes": [1]}
    config = transformers.Sam3Config(
        vision_config=transformers.Sam3VisionConfig(
            backbone_config=transformers.Sam3ViTConfig(**small, **vision, pretrain_image_size=28),
            fpn_hidden_size=16,
            backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]],
        ),
        text_config={
            **small,
            "vocab_size": vocabulary,
            "num_hidden_layers": 1,
            "max_position_embeddings": 32,
            "projection_dim": 16,
            "bos_token_id": vocabulary - 2,
            "eos_token_id": vocabulary - 1,
        },
        geometry_encoder_config={**small, "num_layers": 1},
        detr_encoder_config={**small, "num_layers": 1},
        detr_decoder_config={**small, "num_layers": 2, "num_queries": 12},
        mask_decoder_config={"hidden_size": 16, "num_attention_heads": 2},
    )
    return randomise(transformers.Sam3Model(config), 8, gain=1.2)


class SamVision(torch.nn.Module):
    """What of SAM 3 looks at a picture: its pyramid of features and the positions of the last of them."""

    def __init__(self, model):
        super().__init__()
        self.vision = model.vision_encoder

    def forward(self, images):
        outputs = self.vision(images)
        return *outputs.fpn_hidden_states[:-1], outputs.fpn_position_encoding[-2]


class SamText(torch.nn.Module):
    """What of it reads a phrase."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        read = self.model.get_text_features(input_ids=input_ids, attention_mask=attention_mask, return_dict=True)
        return read.pooler_output, attention_mask.bool()


class SamDecoder(torch.nn.Module):
    """What finds the phrase in the picture."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, fpn_feat_0, fpn_feat_1, fpn_feat_2, fpn_pos_2, prompt_features, prompt_mask):
        features, places = [fpn_feat_0, fpn_feat_1, fpn_feat_2], [fpn_pos_2] * 3
        vision = transformers.models.sam3.modeling_sam3.Sam3VisionEncoderOutput(
            fpn_hidden_states=(*features, features[-1]), fpn_position_encoding=(*places, places[-1])
        )
        text = transformers.modeling_outputs.BaseModelOutputWithPooling(pooler_output=prompt_features)
        answer = self.model(vision_embeds=vision, text_embeds=text, attention_mask=prompt_mask)
        return answer.pred_masks, answer.pred_boxes, answer.pred_logits, answer.presence_logits


def export_sam3(model, folder: Path, side: int = SAM_SIDE, is_whole: bool = True) -> None:
    """One graph, and the three parts that most published exports have, under the names that they use."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = torch.tensor([[3, 4, 5] + [0] * 29])
    mask = (ids > 0).long()
    pixels = torch.randn(1, 3, side, side)
    answers = ("pred_boxes", "pred_logits", "presence_logits")
    if is_whole:
        export(model, {"pixel_values": pixels, "input_ids": ids, "attention_mask": mask}, answers, folder / "model.onnx", {})
    with torch.no_grad():
        features, words = SamVision(model)(pixels), SamText(model)(ids, mask)
    pyramid = ["fpn_feat_0", "fpn_feat_1", "fpn_feat_2", "fpn_pos_2"]
    parts = {
        "vision_encoder": (SamVision(model), (pixels,), ["images"], pyramid),
        "text_encoder": (SamText(model), (ids, mask), ["input_ids", "attention_mask"], ["text_features", "text_mask"]),
        "decoder": (SamDecoder(model), (*features, *words), [*pyramid, "prompt_features", "prompt_mask"], ["pred_masks", *answers]),
    }
    for name, (part, example, inputs, outputs) in parts.items():
        path = folder / f"{name}.onnx"
        torch.onnx.export(
            part.eval(), example, str(path), input_names=inputs, output_names=outputs, opset_version=17, dynamo=False
        )
        shrink(path)


YOLO_NAMES = {0: "person", 1: "dog", 2: "traffic light", 3: "dog's bowl"}
MASKS = 32


class TinyYolo(torch.nn.Module):
    """
    A few convolutions whose answer is laid out as the YOLO family's is: for each place of three grids the centre and the
    sides of a box in pixels, a probability for each class and, where masks are wanted, their coefficients.

    `head` is "classes", "masks", "chosen" (the best boxes as rows of corners, score and class) or "texts" (scores by the
    embeddings of what is looked for).
    """

    def __init__(self, head: str, width: int = 12):
        super().__init__()
        self.head = head
        self.stem = torch.nn.Sequential(
            torch.nn.Conv2d(3, width, 3, 2, 1), torch.nn.SiLU(), torch.nn.Conv2d(width, width, 3, 2, 1), torch.nn.SiLU()
        )
        self.downs = torch.nn.ModuleList(
            torch.nn.Sequential(torch.nn.Conv2d(width, width, 3, 2, 1), torch.nn.SiLU()) for _ in range(3)
        )
        scores = width if head == "texts" else len(YOLO_NAMES)
        self.outs = torch.nn.ModuleList(torch.nn.Conv2d(width, 4 + scores + (MASKS if head == "masks" else 0), 1) for _ in range(3))
        self.protos = torch.nn.Conv2d(width, MASKS, 1) if head == "masks" else None

    def forward(self, images, txt_feats=None):
        features = self.stem(images)
        protos = self.protos(features) if self.protos is not None else None
        answers = []
        for level, (down, out) in enumerate(zip(self.downs, self.outs)):
            features = down(features)
            stride = 8 * 2**level
            answer = out(features)
            ones = torch.ones_like(answer[:, :1])
            x, y = (ones.cumsum(3) - 0.5) * stride, (ones.cumsum(2) - 0.5) * stride
            shift, sides = answer[:, :2].tanh() * stride, answer[:, 2:4].sigmoid() * 5 * stride
            boxes = torch.cat((x + shift[:, :1], y + shift[:, 1:], sides), 1)
            answers.append(torch.cat((boxes, answer[:, 4:]), 1).flatten(2))
        whole = torch.cat(answers, 2)
        boxes, rest = whole[:, :4], whole[:, 4:]
        if self.head == "texts":
            rest = rest / rest.norm(dim=1, keepdim=True).clamp_min(1e-6)
            return torch.cat((boxes, (6 * txt_feats @ rest - 1).sigmoid()), 1)
        scores = rest[:, : len(YOLO_NAMES)].sigmoid()
        if self.head == "masks":
            return torch.cat((boxes, scores, rest[:, len(YOLO_NAMES) :]), 1), protos
        if self.head == "classes":
            return torch.cat((boxes, scores), 1)
        best, labels = scores.max(1)
        kept, places = best.topk(20, 1)
        corners = torch.cat((boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2), 1)
        pick = lambda values: values.gather(2, places[:, None].expand(-1, values.shape[1], -1))
        return torch.cat((pick(corners), kept[:, None], pick(labels[:, None].float())), 1).transpose(1, 2)


def tiny_yolo(head: str, width: int = 12):
    return randomise(TinyYolo(head, width), 6, gain=1.7)


def export_yolo(model, path: Path, is_open: bool = False, texts: int = 0, side: int = SIDE, **said) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    example = (torch.rand(1, 3, side, side), *([torch.randn(1, 2, texts)] if texts else []))
    dynamic = {"images": {0: "batch", 2: "height", 3: "width"}, "output0": {0: "batch", 2: "anchors"}} if is_open else {}
    if texts:
        dynamic |= {"txt_feats": {1: "classes"}, "output0": {1: "channels"}}
    torch.onnx.export(
        model,
        example,
        str(path),
        input_names=["images", "txt_feats"][: len(example)],
        output_names=["output0", "output1"] if model.head == "masks" else ["output0"],
        dynamic_axes=dynamic,
        opset_version=17,
        dynamo=False,
    )
    shrink(path)
    written = onnx.load(str(path))
    for key, value in said.items():
        written.metadata_props.add(key=key, value=str(value))
    onnx.save(written, str(path))


def tiny_clip_text(vocabulary: int, width: int = 12):
    config = transformers.CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=77,
        projection_dim=width,
        bos_token_id=vocabulary - 2,
        eos_token_id=vocabulary - 1,
    )
    return randomise(transformers.CLIPTextModelWithProjection(config), 7)


def export_clip_text(model, path: Path) -> None:
    ids = torch.tensor([[3, 4, 5] + [0] * 74, [3, 6, 5] + [0] * 74])
    rows = {0: "queries"}
    export(model, {"input_ids": ids}, ("text_embeds",), path, {"input_ids": rows, "text_embeds": rows})


LABELS = {0: "person", 1: "dog", 2: "traffic light", 3: "N/A"}


def tiny_detr():
    backbone = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 8, 16], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage4"]
    )
    config = transformers.DetrConfig(
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config=backbone,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        num_queries=10,
        id2label=LABELS,
        label2id={name: index for index, name in LABELS.items()},
    )
    return randomise(transformers.DetrForObjectDetection(config), 3, gain=2.5)


def export_detr(model, path: Path) -> None:
    example = {"pixel_values": torch.randn(2, 3, SIDE, 96), "pixel_mask": torch.ones(2, SIDE, 96, dtype=torch.long)}
    example["pixel_mask"][1, :, 64:] = 0
    export(
        model,
        example,
        ("logits", "pred_boxes"),
        path,
        {"pixel_values": {0: "batch", 2: "height", 3: "width"}, "pixel_mask": {0: "batch", 1: "height", 2: "width"}},
    )


def tiny_rt_detr(version: int = 1):
    """RT-DETR, or RT-DETRv2, whose decoder may read each level at another number of points."""
    backbone = transformers.RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage2", "stage3", "stage4"]
    )
    config_class = transformers.RTDetrConfig if version == 1 else transformers.RTDetrV2Config
    model_class = transformers.RTDetrForObjectDetection if version == 1 else transformers.RTDetrV2ForObjectDetection
    config = config_class(
        backbone_config=backbone,
        encoder_hidden_dim=8,
        encoder_in_channels=[8, 8, 8],
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        d_model=8,
        decoder_in_channels=[8, 8, 8],
        decoder_ffn_dim=16,
        # Version 2 cannot be built with one alone.
        decoder_layers=version,
        decoder_attention_heads=2,
        decoder_n_points=2,
        num_queries=10,
        id2label=LABELS,
        label2id={name: index for index, name in LABELS.items()},
        anchor_image_size=None,
    )
    return randomise(model_class(config), 4, gain=2)


def save_config(model, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # What the class would write, without the version and the defaults that say nothing here.
    text = json.loads(model.config.to_json_string(use_diff=True))
    (folder / "config.json").write_text(json.dumps(text, indent=1, sort_keys=True) + "\n")


def save_processor(folder: Path, processor, **more) -> None:
    keys = "size do_resize resample do_rescale rescale_factor do_normalize image_mean image_std do_pad".split()
    said = {key: getattr(processor, key) for key in keys}
    said["size"] = {key: value for key, value in dict(said["size"]).items() if value}
    kind = type(processor).__name__.removesuffix("Pil")
    text = json.dumps({**said, "image_processor_type": kind, **more}, indent=1, default=int, sort_keys=True)
    (folder / "preprocessor_config.json").write_text(text + "\n")


def bert_tokenizer():
    return transformers.BertTokenizer(vocab={token: at for at, token in enumerate(BERT_VOCABULARY)})


def clip_tokenizer():
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    characters = [chr(code) for code in kept] + [chr(256 + n) for n in range(256 - len(kept))]
    tokens = characters + [character + "</w>" for character in characters]
    merges = []
    for word in "a photo of cat dog red person".split():
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            if (parts[0], parts[1]) not in merges:
                merges.append((parts[0], parts[1]))
            parts = [parts[0] + parts[1], *parts[2:]]
    tokens += [a + b for a, b in merges if a + b not in tokens]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: at for at, token in enumerate(tokens)}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=merges, pad_token="!", model_max_length=16)
