// A table on a desk, a list of cards on a phone: the same elements, laid out by CSS, with the roles of a table in both.
//
//   <Rows label="Keys" columns="1fr 8rem" names={["Name", "Made"]}>
//     <Row><Cell>night runs</Cell><Cell>today</Cell></Row>
//   </Rows>
import { Box, type BoxProps } from "@chakra-ui/react";
import { createContext, type ReactNode, useContext } from "react";

const Columns = createContext("1fr");

interface Props {
  label: string;
  /** grid-template-columns of a desk. */
  columns: string;
  names: string[];
  children: ReactNode;
}

export function Rows({ label, columns, names, children }: Props) {
  return (
    <Columns.Provider value={columns}>
      <Box role="table" aria-label={label} w="full">
        <Box role="rowgroup" srOnly={{ base: true, md: false }}>
          <Box
            role="row"
            display={{ md: "grid" }}
            gridTemplateColumns={columns}
            columnGap="4"
            px="2"
            pb="1"
            fontSize="xs"
            color="fg.muted"
          >
            {names.map((name) => (
              <Box key={name} role="columnheader" minW="0" truncate>
                {name}
              </Box>
            ))}
          </Box>
        </Box>
        <Box role="rowgroup">{children}</Box>
      </Box>
    </Columns.Provider>
  );
}

/** Rows out of sight cost no layout (content-visibility), so thousands may stand here. */
export function Row({ children, ...box }: BoxProps) {
  const columns = useContext(Columns);
  return (
    <Box
      role="row"
      display="grid"
      gridTemplateColumns={{ base: "minmax(0, 1fr)", md: columns }}
      columnGap="4"
      rowGap="1"
      alignItems="center"
      px="2"
      py="2"
      borderTopWidth="1px"
      css={{ contentVisibility: "auto", containIntrinsicBlockSize: "auto 3.25rem" }}
      {...box}
    >
      {children}
    </Box>
  );
}

/** `label`: stands before the value on a phone, where no header is seen. */
export function Cell({ label, children, ...box }: BoxProps & { label?: string }) {
  return (
    <Box role="cell" minW="0" overflowWrap="anywhere" {...box}>
      {label && (
        <Box as="span" aria-hidden hideFrom="md" color="fg.muted" me="2">
          {label}
        </Box>
      )}
      {children}
    </Box>
  );
}
