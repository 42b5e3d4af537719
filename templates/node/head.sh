# clusterctl node bootstrap. This file holds no secret; it may run again at any time.
CCTL_ROLE=@{ role }@
CCTL_CLUSTER=@{ cluster }@
CCTL_UID=@{ uid }@
CCTL_API_PORT=@{ api_port }@
CCTL_NODE_SUBNETS=@{ node_subnets }@
CCTL_KUBERNETES=@{ kubernetes }@
CCTL_PAUSE=@{ pause }@
@# One artifact a line: name, architecture, path, sha256 or -, path of the vendor's checksum file. #@
CCTL_ARTIFACTS=@{ artifacts }@
CCTL_MIRROR=@{ mirror }@
@# One registry mirror a line: registry, tab, hosts.toml as base64. #@
CCTL_REGISTRIES=@{ registries }@
CCTL_DATA_DISK=@{ data_disk }@
CCTL_LABELS=@{ labels }@
CCTL_GPU=@{ gpu }@
CCTL_CNI=@{ cni }@
CCTL_MTU=@{ mtu }@
@# Whole documents for kubeadm and the API server. @@name@@ marks what only the node knows. #@
CCTL_JOIN=@{ join }@
@% if role == "control-plane" %@
CCTL_INIT=@{ init }@
CCTL_AUDIT=@{ audit }@
CCTL_AUTHENTICATION=@{ authentication }@
CCTL_ENCRYPTION=@{ encryption }@
@% endif %@
@% if cloud == "aws" %@
CCTL_REGION=@{ region }@
CCTL_SSM_ENDPOINT=@{ ssm_endpoint }@
CCTL_SSM_KEY=@{ ssm_key }@
@% endif %@
