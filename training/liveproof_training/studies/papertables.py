"""Tables 1 and 2 of the paper and its section 3.4, as printed: rows to stand beside. All in %.

The published rates of Table 2 are HTER at a threshold chosen on the test videos themselves ("idealised"), as far as the code of their
authors shows; the paper does not say how it chose its own.
"""

from __future__ import annotations

# Protocol of OULU-NPU -> the table's column.
INTRA = {"oulu-1": "Protocol 1", "oulu-2": "Protocol 2", "oulu-3": "Protocol 3", "oulu-4": "Protocol 4"}
# Leave-one-out protocol -> the table's column.
CROSS = {"OCI-M": "O&C&I to M", "OMI-C": "O&M&I to C", "OCM-I": "O&C&M to I", "ICM-O": "I&C&M to O"}

# Method -> ACER of protocols 1 to 4, mean±std over the six folds of 3 and 4.
TABLE_1 = {
    "Auxiliary (Liu et al., 2018)": ("1.6", "2.7", "2.9±1.5", "9.5±6.0"),
    "CDCN (Yu et al., 2020b)": ("1.0", "1.45", "2.3±1.4", "6.9±2.9"),
    "FaceDs (Amin Jourabloo*, 2018)": ("1.5", "4.3", "3.6±1.6", "5.6±5.7"),
    "DC-CDN (Yu et al., 2021)": ("0.4", "1.3", "1.9±1.1", "4.3±3.1"),
    "LMFD-PAD (Fang et al., 2022)": ("1.5", "2.0", "3.4±3.1", "3.3±3.1"),
    "NAS-FAS (Yu et al., 2020a)": ("0.2", "1.2", "1.7±0.6", "2.9±2.8"),
    "PatchNet (Wang et al., 2022a)": ("0", "1.2", "1.18±1.26", "2.9±3.0"),
    "Ours": ("0", "1.2", "0.96±1.03", "0.63±1.04"),
}

# (method, network) -> HTER and AUC of each column in turn.
TABLE_2 = {
    ("NAS-FAS (Yu et al., 2020a)", "NAS"): ("19.53", "88.63", "16.54", "90.18", "14.51", "93.84", "13.80", "93.43"),
    ("NAS-FAS w/ D-Meta (Yu et al., 2020a)", "NAS"): ("16.85", "90.42", "15.21", "92.64", "11.63", "96.98", "13.16", "94.18"),
    ("DRDG (George & Marcel, 2021)", "DenseNet"): ("12.43", "95.81", "19.05", "88.79", "15.56", "91.79", "15.63", "91.75"),
    ("ANRL (Liu et al., 2021)", "-"): ("10.83", "96.75", "17.83", "89.26", "16.03", "91.04", "15.67", "91.90"),
    ("LMFD-PAD (Fang et al., 2022)", "Res-50"): ("10.48", "94.55", "12.50", "94.17", "18.49", "84.72", "12.41", "94.95"),
    ("DBEL (Jiang & Sun, 2022)", "Res-50"): ("8.57", "95.01", "20.26", "85.80", "13.52", "93.22", "20.22", "88.48"),
    ("HFN+MP (Cai et al., 2022)", "Res-50"): ("5.24", "97.28", "9.11", "96.09", "15.35", "90.67", "12.04", "94.26"),
    ("CAFD (Huang et al., 2022)", "Res-18"): ("11.64", "95.27", "17.51", "89.98", "15.08", "91.92", "14.27", "93.04"),
    ("SSDG-R (Jia et al., 2020)", "Res-18"): ("7.38", "97.17", "10.44", "95.94", "11.71", "96.59", "15.61", "91.54"),
    ("SSAN-R (Wang et al., 2022b)", "Res-18"): ("6.67", "98.75", "10.00", "96.67", "8.88", "96.79", "13.72", "93.63"),
    ("PatchNet (Wang et al., 2022a)", "Res-18"): ("7.10", "98.46", "11.33", "94.58", "13.40", "95.67", "11.82", "95.07"),
    ("Ours w/o PE&LE", "Res-18"): ("10.83", "94.58", "15.08", "91.14", "14.50", "93.55", "13.88", "93.16"),
    ("Ours w/o PE", "Res-18"): ("10.41", "94.93", "13.59", "91.04", "11.17", "93.92", "12.50", "94.35"),
    ("Ours w/o LE", "Res-18"): ("9.58", "94.47", "12.47", "92.28", "12.25", "94.55", "13.29", "93.62"),
    ("Ours", "Res-18"): ("5.41", "98.85", "10.05", "94.27", "8.62", "97.60", "11.42", "95.52"),
}

# Section 3.4: AUC of O&M&I to C, each capture device apart. By frame size the paper's words most likely mean these cameras;
# other authors call A normal and B low.
QUALITY_OF = "OMI-C"
QUALITY = {
    "low quality": ("93.73", "casia/A", "640×480"),
    "normal": ("94.79", "casia/B", "480×640"),
    "high quality": ("96.47", "casia/HR", "720×1280"),
}
