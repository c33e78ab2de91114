"""Exports a detector of transformers as the folder of a teacher: for families that no other exporter has (grounding-dino,
mm-grounding-dino and LLMDet, omdet-turbo, sam3).

    python bench/parity/export_hub_model.py MODEL FOLDER [SIDE]       needs torch, transformers, onnx, onnxruntime

MODEL is a name of the Hugging Face Hub or a folder. SIDE is that of the square that the graph takes: 800 for the families of
Grounding DINO, whose pictures are made to fit into it and padded; else what the model was trained with. SAM 3 is exported in
three parts.
"""

import sys
import warnings
from pathlib import Path

import tiny_teachers
import torch
import transformers


def main(name: str, folder: Path, side: int | None) -> None:
    config = transformers.AutoConfig.from_pretrained(name)
    kind = config.model_type
    processor = transformers.AutoProcessor.from_pretrained(name)
    model_class = transformers.Sam3Model if kind in ("sam3", "sam3_video") else transformers.AutoModelForZeroShotObjectDetection
    model = model_class.from_pretrained(name, dtype=torch.float32).eval()
    # Tiny networks are made small; of large ones the weights may not fit into one file.
    tiny_teachers.shrink = lambda path: None
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    if kind in ("grounding-dino", "mm-grounding-dino"):
        model.config.disable_custom_kernels = True
        ids = processor.tokenizer("a dog.", return_tensors="pt").input_ids
        tiny_teachers.export_grounding_dino(model, folder / "onnx/model.onnx", tiny_teachers.separator_masks, side or 800, ids)
    elif kind == "omdet-turbo":
        tiny_teachers.export_omdet(model, folder / "onnx/model.onnx", side or processor.image_processor.size["height"])
    elif kind in ("sam3", "sam3_video"):
        tiny_teachers.export_sam3(model, folder / "onnx", side or processor.image_processor.size["height"], is_whole=False)
    else:
        sys.exit(f"{name} is {kind}: its exporter is optimum-cli export onnx")
    processor.save_pretrained(folder)
    model.config.save_pretrained(folder)
    print(f"{folder} written: {kind}")


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) == 4 else None)
