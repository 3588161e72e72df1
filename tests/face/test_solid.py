from dataclasses import replace

import numpy as np
import torch
from conftest import SHARED

