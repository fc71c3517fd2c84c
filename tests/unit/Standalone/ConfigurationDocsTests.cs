using Entrepot.Hosting;
using Entrepot.Standalone;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.UnitTests.Standalone;

public sealed class ConfigurationDocsTests
{
    [Fact]
    public void The_configuration_page_and_the_schema_say_what_the_classes_say()
    {
        var differences = ConfigurationDocs.Compare(StandaloneModule.Schema(), Path.Combine(Checkout.Root, "docs"));
        Assert.True(differences.Count == 0, $"Run: dotnet run -c Release --project services/standalone -- --write-config-docs docs\n{string.Join('\n', differences)}");
    }
}
