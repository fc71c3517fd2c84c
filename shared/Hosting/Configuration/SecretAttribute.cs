namespace Entrepot.Hosting;

/// <summary>
/// Marks a string option whose value is never printed, and which may be given as a file: for <c>Password</c> the key
/// <c>PasswordFile</c> is accepted too and names a file whose text, less one trailing line end, is the value.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;
