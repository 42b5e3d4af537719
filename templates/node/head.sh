# clusterctl node bootstrap: holds no secret, may run again
CCTL_ROLE=@{ role }@
CCTL_CLUSTER=@{ cluster }@
CCTL_UID=@{ uid }@
CCTL_API_PORT=@{ api_port }@
CCTL_NODE_SUBNETS=@{ node_subnets }@
CCTL_KUBERNETES=@{ kubernetes }@
CCTL_PAUSE=@{ pause }@
CCTL_ARCHITECTURE=@{ architecture }@
@# One artifact a line: name, path, sha256. #@
CCTL_ARTIFACTS=@{ artifacts }@
CCTL_MIRROR=@{ mirror }@
@# One registry a line: its name, the server it stands for, the mirror. #@
CCTL_REGISTRIES=@{ registries }@
@% if data_disk != "none" %@
CCTL_DATA_DISK=@{ data_disk }@
@% endif %@
CCTL_LABELS=@{ labels }@
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
