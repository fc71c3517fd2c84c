namespace Entrepot.Oci;

/// <summary>One reference from a manifest to what it is made of.</summary>
/// <param name="Role">What the child is to the manifest.</param>
/// <param name="Descriptor">What the manifest says about the child.</param>
public readonly record struct ManifestChild(ReferenceRole Role, Descriptor Descriptor);
