"""The programs of the suite `kubernetes`, in pinned versions."""
import os

from dev.gotool import GoTool

PINNED = os.path.join("infrastructure", "kubernetes", "tools")
VERB = "./dev test kubernetes"


def _tool(name, module, package, **more):
    return GoTool(name, os.path.join(PINNED, name), module, package, (1, 26), VERB, **more)


# The API server, its controllers and scheduler, kubectl, and kwok, in one program: they share most of their code.
CONTROL_PLANE = _tool("control-plane", "k8s.io/kubernetes", None, stamp="k8s.io/component-base/version.gitVersion")
HELM = _tool("helm", "helm.sh/helm/v3", "/cmd/helm")
KUBECONFORM = _tool("kubeconform", "github.com/yannh/kubeconform", "/cmd/kubeconform")
KUBE_SCORE = _tool("kube-score", "github.com/zegl/kube-score", "/cmd/kube-score")


def install_all():
    for one in (CONTROL_PLANE, HELM, KUBECONFORM, KUBE_SCORE):
        one.install()
