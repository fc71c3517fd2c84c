namespace Entrepot.Hosting;

/// <summary>Marks an integer option that counts bytes: <c>10GiB</c>, <c>512MB</c> and plain numbers are accepted.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ByteSizeAttribute : Attribute;
